#include "tensor/tensor.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

void* advance(void* data, std::int64_t elements, DType dtype) {
  return static_cast<std::byte*>(data) + elements * bytes_of(dtype);
}

}  // namespace

Tensor Tensor::row_range(std::int64_t begin, std::int64_t end) const {
  if (begin < 0 || end < begin || end > rows()) {
    throw InternalError(cat("[tensor] rows ", begin, "..", end, " of ", shape.text()));
  }
  Tensor out(advance(data, begin * row_stride, dtype), dtype, {end - begin, cols()});
  out.row_stride = row_stride;
  return out;
}

Tensor Tensor::col_range(std::int64_t begin, std::int64_t end) const {
  if (begin < 0 || end < begin || end > cols()) {
    throw InternalError(cat("[tensor] columns ", begin, "..", end, " of ", shape.text()));
  }
  Tensor out(advance(data, begin, dtype), dtype, {rows(), end - begin});
  out.row_stride = row_stride;
  return out;
}

Tensor Tensor::reshaped(const Shape& extents) const {
  if (!dense() || extents.elements() != elements()) {
    throw InternalError(
        cat("[tensor] cannot view ", shape.text(), dense() ? "" : " (strided)", " as ", extents.text()));
  }
  return Tensor(data, dtype, extents);
}

}  // namespace wan
