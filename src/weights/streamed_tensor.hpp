#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tensor/dtype.hpp"
#include "tensor/shape.hpp"

namespace wan {

/// A tensor that is read a part at a time, so that a model passes through memory without ever being in it.
struct StreamedTensor {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  /// Writes elements [first, first + count), row-major and dense, to `to`. May be called again for the same
  /// elements, by one thread at a time. Throws what reading its file throws.
  std::function<void(std::int64_t first, std::int64_t count, void* to)> read;

  [[nodiscard]] std::int64_t bytes() const { return shape.elements() * bytes_of(dtype); }
};

/// All tensors of one component; `path` is what messages call it.
struct StreamedComponent {
  std::string path;
  std::vector<StreamedTensor> tensors;
};

/// Calls visit(first, count) for the whole tensor in order, in parts that take about 8 MiB.
void in_blocks(const StreamedTensor& tensor,
               const std::function<void(std::int64_t first, std::int64_t count)>& visit);

/// The same tensor stored as `dtype`, fp32 or bf16: fp16 and bf16 widen exactly, rounding to bf16 is to
/// nearest even. Throws DataError(`path`) if it is stored as anything but fp32, bf16 or fp16.
[[nodiscard]] StreamedTensor stored_as(StreamedTensor tensor, DType dtype, const std::string& path);

}  // namespace wan
