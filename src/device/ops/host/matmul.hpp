#pragma once
#include <cstdint>

namespace wan::host {

/// A row-major fp32 matrix, or its transpose, as an operand.
struct Operand {
  const float* data;
  std::int64_t stride;
  bool transposed = false;
};

/// c = alpha a b + beta c with a [rows, inner], b [inner, cols], c [rows, cols] row-major with stride
/// c_stride, by oneDNN. Nothing happens to an empty c; an empty inner dimension gives beta c. On one thread
/// if called from one of several OpenMP threads.
void matmul(std::int64_t rows, std::int64_t cols, std::int64_t inner, float alpha, const Operand& a,
            const Operand& b, float beta, float* c, std::int64_t c_stride);

}  // namespace wan::host
