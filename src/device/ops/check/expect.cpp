#include "device/ops/check/expect.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

void Expect::fail(const char* name, const std::string& found, const std::string& allowed) const {
  throw InternalError(cat("[", op_, "] ", name, ": found ", found, ", allowed ", allowed));
}

void Expect::given(const char* name, const Tensor& tensor) const {
  if (!tensor) fail(name, "no tensor", "one");
}

void Expect::matrix(const char* name, const Tensor& tensor, std::int64_t rows, std::int64_t cols) const {
  given(name, tensor);
  if (tensor.rows() != rows || tensor.cols() != cols) {
    fail(name, tensor.shape.text(), Shape{rows, cols}.text());
  }
  if (tensor.row_stride < cols) fail(name, cat("rows ", tensor.row_stride, " apart"), cat("at least ", cols));
}

void Expect::flat(const char* name, const Tensor& tensor, std::int64_t elements) const {
  given(name, tensor);
  if (tensor.elements() != elements) fail(name, tensor.shape.text(), cat(elements, " elements"));
  if (!tensor.dense()) fail(name, "a band of columns", "dense memory");
}

void Expect::storage(const char* name, const Tensor& tensor) const {
  if (tensor.dtype == DType::f64 && storage_ == FloatStorage::fp32_bf16_fp64) return;
  if (tensor.dtype != DType::f32 && tensor.dtype != DType::bf16)
    fail(name, name_of(tensor.dtype), "fp32, bf16");
}

void Expect::fp32(const char* name, const Tensor& tensor) const {
  if (tensor.dtype == DType::f64 && storage_ == FloatStorage::fp32_bf16_fp64) return;
  dtype(name, tensor, DType::f32);
}

void Expect::dtype(const char* name, const Tensor& tensor, DType dtype) const {
  if (tensor.dtype != dtype) fail(name, name_of(tensor.dtype), name_of(dtype));
}

void Expect::same(const char* name, const Tensor& tensor, const char* other_name, const Tensor& other) const {
  if (tensor.dtype != other.dtype) {
    fail(name, name_of(tensor.dtype), cat(name_of(other.dtype), " as ", other_name));
  }
}

void Expect::fp32_or_same(const char* name, const Tensor& tensor, const char* other_name,
                          const Tensor& other) const {
  if (tensor.dtype != DType::f32) same(name, tensor, other_name, other);
}

void Expect::equal(const char* name, std::int64_t found, std::int64_t allowed) const {
  if (found != allowed) fail(name, std::to_string(found), std::to_string(allowed));
}

void Expect::at_least(const char* name, std::int64_t found, std::int64_t allowed) const {
  if (found < allowed) fail(name, std::to_string(found), cat("at least ", allowed));
}

void Expect::at_most(const char* name, std::int64_t found, std::int64_t allowed) const {
  if (found > allowed) fail(name, std::to_string(found), cat("at most ", allowed));
}

}  // namespace wan
