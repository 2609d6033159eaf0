#pragma once
#include <cstdint>
#include <vector>

#include "tensor/tensor.hpp"

namespace wan::ref {

/// A matrix in double, copied from a tensor of any float type (a band of columns included).
struct Dense {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<double> value;

  Dense() = default;
  Dense(std::int64_t row_count, std::int64_t col_count)
      : rows(row_count), cols(col_count), value(static_cast<std::size_t>(row_count * col_count)) {}

  double& operator()(std::int64_t row, std::int64_t col) {
    return value[static_cast<std::size_t>(row * cols + col)];
  }
  double operator()(std::int64_t row, std::int64_t col) const {
    return value[static_cast<std::size_t>(row * cols + col)];
  }
  /// By place in memory order.
  double& operator[](std::int64_t i) { return value[static_cast<std::size_t>(i)]; }
  double operator[](std::int64_t i) const { return value[static_cast<std::size_t>(i)]; }
};

[[nodiscard]] Dense read(const Tensor& tensor);
/// Rounds once into the tensor's dtype. Equal element counts, any shapes: both are walked in memory order.
void write(const Tensor& tensor, const Dense& dense);
/// tensor += dense, rounded once.
void add(const Tensor& tensor, const Dense& dense);

}  // namespace wan::ref
