#pragma once
#include <cstdint>
#include <functional>

#include "tensor/shape.hpp"

namespace wan::hdf5 {

/// Cuts the box `start` .. `start` + `extents` into boxes of at most `max_elements` elements, each dense in
/// the box's own row-major order, and visits them in that order with the number of elements before them.
using VisitBox = std::function<void(const Shape& start, const Shape& extents, std::int64_t before)>;
void cut_box(const Shape& start, const Shape& extents, std::int64_t max_elements, const VisitBox& visit);

/// The elements [first, first + count) of an array in row-major order as at most 2 rank - 1 boxes, in order.
void cut_range(const Shape& array, std::int64_t first, std::int64_t count, const VisitBox& visit);

}  // namespace wan::hdf5
