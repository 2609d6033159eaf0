#include "data/stored_floats.hpp"

#include <cstring>

#include "base/bf16.hpp"
#include "base/error.hpp"

namespace wan {

std::vector<std::byte> to_stored(const float* values, std::int64_t count, DType dtype) {
  std::vector<std::byte> stored(static_cast<std::size_t>(count * bytes_of(dtype)));
  if (count == 0) return stored;
  if (dtype == DType::f32) {
    std::memcpy(stored.data(), values, stored.size());
    return stored;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const bf16 rounded = to_bf16(values[i]);
    std::memcpy(stored.data() + 2 * i, &rounded, 2);
  }
  return stored;
}

void from_stored(const std::byte* stored, std::int64_t count, DType dtype, float* values) {
  if (count == 0) return;
  if (dtype == DType::f32) {
    std::memcpy(values, stored, static_cast<std::size_t>(count) * 4);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    bf16 value;
    std::memcpy(&value, stored + 2 * i, 2);
    values[i] = to_float(value);
  }
}

StoredRun read_stored(const hdf5::Dataset& dataset, std::int64_t first, std::int64_t count) {
  if (dataset.type() != hdf5::Type::f32 && dataset.type() != hdf5::Type::bf16) {
    throw DataError(dataset.name(),
                    "has elements of type " + hdf5::name_of(dataset.type()) + ", allowed: fp32, bf16");
  }
  StoredRun run;
  run.dtype = hdf5::dtype_of(dataset.type());
  run.bytes.resize(static_cast<std::size_t>(count * bytes_of(run.dtype)));
  dataset.read(first, count, run.bytes.data());
  run.hash = content_hash(run.bytes.data(), count, static_cast<int>(bytes_of(run.dtype)), 0);
  return run;
}

}  // namespace wan
