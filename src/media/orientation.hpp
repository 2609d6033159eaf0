#pragma once
#include <cstdint>

#include "media/image.hpp"

namespace wan {

/// One of the eight ways to lay a picture down: first exchange rows and columns, then mirror.
struct Orientation {
  bool transpose = false;
  bool flip_x = false;
  bool flip_y = false;
  [[nodiscard]] bool identity() const { return !transpose && !flip_x && !flip_y; }
};

/// The orientation nearest to a display matrix of ISO/IEC 14496-12 6.2.2 (nine numbers a b u c d v x y w,
/// row-major; stored (p, q) is shown at (a p + c q + x, b p + d q + y)). Angles between right angles go to
/// the nearest axis.
[[nodiscard]] Orientation orientation_of(const std::int32_t matrix[9]);

[[nodiscard]] Image oriented(const Image& image, const Orientation& orientation);

}  // namespace wan
