#pragma once
#include <cstdint>

#include "tensor/tensor.hpp"

namespace wan::cuda {

/// One of a batch of row-major matrices, or its transpose, as an operand.
struct Operand {
  const void* data = nullptr;
  std::int64_t stride = 0;
  bool transposed = false;
  std::int64_t batch_stride = 0;  ///< elements from one matrix of the batch to the next
};

/// What is done to the product before it is stored.
enum class Epilogue {
  none,
  bias,           ///< + bias
  gelu_bias,      ///< gelu_tanh(product + bias); with aux, product + bias is stored there
  gelu_gradient,  ///< product * gelu_tanh'(aux)
  row_sums,       ///< as none; besides, `sums` receives the sums over inner of op(a)'s rows
};

/// c = alpha op(a) op(b) + beta c, then the epilogue: row-major, a [rows, inner], b [inner, cols],
/// c [rows, cols].
struct Product {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t inner = 0;
  std::int64_t batches = 1;
  DType storage = DType::f32;  ///< of a and b: fp32 or bf16
  Operand a;
  Operand b;
  DType result = DType::f32;  ///< of c: fp32, or bf16 where storage is
  void* c = nullptr;
  std::int64_t c_stride = 0;
  std::int64_t c_batch_stride = 0;
  float alpha = 1;
  float beta = 0;
  Epilogue epilogue = Epilogue::none;
  const void* bias = nullptr;  ///< [cols] in c's dtype
  void* aux = nullptr;         ///< [rows, cols] in c's dtype
  std::int64_t aux_stride = 0;
  float* sums = nullptr;  ///< [rows]
};

/// Whether the fast kernels of cuBLASLt and cuDNN take a bf16 matrix as it lies: rows begin at multiples of
/// 16 bytes.
[[nodiscard]] bool aligned(const Tensor& tensor);

}  // namespace wan::cuda
