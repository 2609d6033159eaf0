#include "device/ops/ref/dense.hpp"

#include "base/bf16.hpp"
#include "base/error.hpp"

namespace wan::ref {
namespace {

double load(const Tensor& tensor, std::int64_t at) {
  switch (tensor.dtype) {
    case DType::f32:
      return static_cast<double>(tensor.as<float>()[at]);
    case DType::bf16:
      return static_cast<double>(to_float(tensor.as<bf16>()[at]));
    case DType::f64:
      return tensor.as<double>()[at];
    default:
      throw InternalError("[ref] " + name_of(tensor.dtype) + " is no float type");
  }
}

void store(const Tensor& tensor, std::int64_t at, double value) {
  switch (tensor.dtype) {
    case DType::f32:
      tensor.as<float>()[at] = static_cast<float>(value);
      return;
    case DType::bf16:
      tensor.as<bf16>()[at] = to_bf16(static_cast<float>(value));
      return;
    case DType::f64:
      tensor.as<double>()[at] = value;
      return;
    default:
      throw InternalError("[ref] " + name_of(tensor.dtype) + " is no float type");
  }
}

}  // namespace

Dense read(const Tensor& tensor) {
  Dense out(tensor.rows(), tensor.cols());
  for (std::int64_t row = 0; row < out.rows; ++row) {
    for (std::int64_t col = 0; col < out.cols; ++col)
      out(row, col) = load(tensor, row * tensor.row_stride + col);
  }
  return out;
}

void write(const Tensor& tensor, const Dense& dense) {
  const std::int64_t cols = tensor.cols();
  for (std::int64_t row = 0; row < tensor.rows(); ++row) {
    for (std::int64_t col = 0; col < cols; ++col)
      store(tensor, row * tensor.row_stride + col, dense[row * cols + col]);
  }
}

void add(const Tensor& tensor, const Dense& dense) {
  Dense sum = read(tensor);
  for (std::size_t i = 0; i < sum.value.size(); ++i) sum.value[i] += dense.value[i];
  write(tensor, sum);
}

}  // namespace wan::ref
