#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/hash.hpp"
#include "tensor/dtype.hpp"
#include "weights/hdf5/object.hpp"

/// Floats in memory, fp32 or bf16 on disk: we convert ourselves, because HDF5 does it slowly and rounds
/// wrongly.
namespace wan {

/// `count` floats as stored bytes, rounded to nearest even for bf16.
[[nodiscard]] std::vector<std::byte> to_stored(const float* values, std::int64_t count, DType dtype);
/// The inverse; `stored` holds count elements.
void from_stored(const std::byte* stored, std::int64_t count, DType dtype, float* values);

/// Elements [first, first + count) of `dataset` (fp32 or bf16) as stored, with their content_hash counted
/// from 0.
struct StoredRun {
  std::vector<std::byte> bytes;
  DType dtype = DType::f32;
  Hash128 hash;
};
/// Throws DataError for another element type.
[[nodiscard]] StoredRun read_stored(const hdf5::Dataset& dataset, std::int64_t first, std::int64_t count);

}  // namespace wan
