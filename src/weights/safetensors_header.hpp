#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace wan {

/// Where a tensor lies in a file, row-major and little-endian.
struct StoredTensor {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::int64_t offset = 0;  ///< of its first byte, from the beginning of the file
  std::int64_t bytes = 0;
};

/// What the JSON at the head of a safetensors file says.
struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;  ///< ordered by name
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// The most bytes of JSON that a header may have; upstream's limit.
constexpr std::int64_t max_safetensors_header = 100'000'000;

/// Parses the JSON of a header whose file holds `data_bytes` of data from byte `data_begin` on. As the
/// reference implementation does (safetensors/src/tensor.rs), it refuses tensors that overlap, leave holes,
/// reach past the end or do not fill the data, and sizes that disagree with dtype and shape. Throws
/// DataError(path).
[[nodiscard]] SafetensorsHeader parse_safetensors_header(std::string_view json, std::int64_t data_begin,
                                                         std::int64_t data_bytes, const std::string& path);

/// "F32", "BF16", …
[[nodiscard]] std::string safetensors_name(DType dtype);

}  // namespace wan
