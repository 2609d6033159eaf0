#include <optional>

#include "device/ops/cuda/cuda_ops.hpp"
#include "device/ops/kokkos/linear_end.hpp"
#include "device/ops/kokkos/matrix_sums.hpp"
#include "device/ops/kokkos/widened.hpp"

namespace wan {
namespace {

using cuda::aligned;
using cuda::Epilogue;
using cuda::Product;

cuda::Operand operand(const Tensor& tensor, bool transposed = false) {
  return {tensor.data, tensor.row_stride, transposed};
}

/// Whether every matrix given lies as the fast kernels want it; fp32 ones may lie anyhow.
bool fits(std::initializer_list<const Tensor*> matrices) {
  for (const Tensor* matrix : matrices) {
    if (*matrix && matrix->dtype == DType::bf16 && !aligned(*matrix)) return false;
  }
  return true;
}

/// The operand as it lies, or widened.
Tensor taken(Workspace& workspace, const Tensor& tensor, bool as_it_lies) {
  return as_it_lies ? tensor : kernels::widened(workspace, tensor);
}

/// The epilogue that does all of `a` after the product, if there is one.
std::optional<Epilogue> epilogue_of(const LinearForward& a) {
  const bool plain = a.activation == Activation::none && !a.pre;
  if (plain && !a.bias) return Epilogue::none;
  const bool same_dtypes = a.bias && a.bias.dtype == a.y.dtype && a.y.dtype == a.x.dtype;
  if (!same_dtypes || !aligned(a.bias)) return std::nullopt;
  if (plain) return Epilogue::bias;
  if (a.activation == Activation::gelu_tanh && a.y.dtype == DType::bf16) return Epilogue::gelu_bias;
  return std::nullopt;
}

/// Bytes that the column sums' kernel reads in a millisecond (seen on an H200).
constexpr double bytes_summed_per_ms = 3e9;

/// Whether the product that also gives the sums of dy is faster than a product and a pass over dy.
bool sums_pay(cuda::Blas& blas, const Product& plain, const Product& with_sums, const Tensor& dy) {
  const double plain_ms = blas.raced_ms(plain);
  if (plain_ms == 0) return false;
  return blas.raced_ms(with_sums) < plain_ms + static_cast<double>(dy.bytes()) / bytes_summed_per_ms;
}

}  // namespace

void CudaOps::run(const LinearForward& a) {
  const Workspace::Scope scope(workspace());
  const bool direct = fits({&a.x, &a.w, &a.y, &a.pre});
  Product p;
  p.rows = a.x.rows();
  p.inner = a.x.cols();
  p.cols = a.w.rows();
  const Tensor x = taken(workspace(), a.x, direct);
  const Tensor w = taken(workspace(), a.w, direct);
  p.storage = x.dtype;
  p.a = operand(x);
  p.b = operand(w, true);
  const std::optional<Epilogue> epilogue = direct ? epilogue_of(a) : std::nullopt;
  const bool fused = epilogue.has_value();
  const Tensor target = fused ? a.y : kernels::fp32_target(workspace(), a.pre ? a.pre : a.y);
  p.result = target.dtype;
  p.c = target.data;
  p.c_stride = target.row_stride;
  if (fused) {
    p.epilogue = *epilogue;
    p.bias = a.bias.data;
    p.aux = a.pre.data;
    p.aux_stride = a.pre.row_stride;
  }
  blas_.run(p);
  const bool done = fused || (target.data == a.y.data && !a.bias && a.activation == Activation::none);
  if (!done) kernels::end_linear_forward(workspace(), target, a);
}

void CudaOps::run(const LinearBackwardData& a) {
  const Workspace::Scope scope(workspace());
  const bool activated = a.activation != Activation::none;
  const bool direct = fits({&a.dy, &a.w, &a.dx, &a.pre});
  const bool gelu = a.activation == Activation::gelu_tanh && !a.accumulate && a.dx.dtype == DType::bf16 &&
                    a.pre.dtype == DType::bf16;
  const bool fused = direct && (!activated || gelu);
  const Tensor dy = taken(workspace(), a.dy, direct);
  const Tensor w = taken(workspace(), a.w, direct);
  const Tensor target = fused                       ? a.dx
                        : activated && a.accumulate ? Tensor(workspace().floats(a.dx.elements()), DType::f32,
                                                             {a.dx.rows(), a.dx.cols()})
                                                    : kernels::fp32_target(workspace(), a.dx);
  const bool in_place = target.data == a.dx.data;
  Product p;
  p.rows = dy.rows();
  p.inner = dy.cols();
  p.cols = w.cols();
  p.storage = dy.dtype;
  p.a = operand(dy);
  p.b = operand(w);
  p.result = target.dtype;
  p.c = target.data;
  p.c_stride = target.row_stride;
  p.beta = in_place && a.accumulate ? 1.0F : 0.0F;
  if (fused && activated) {
    p.epilogue = Epilogue::gelu_gradient;
    p.aux = a.pre.data;
    p.aux_stride = a.pre.row_stride;
  }
  blas_.run(p);
  if (fused || (in_place && !activated)) return;
  kernels::end_linear_backward_data(target, a);
}

void CudaOps::run(const LinearBackwardWeight& a) {
  const Workspace::Scope scope(workspace());
  bool summed = false;
  if (a.dw && a.dy.rows() > 0) {
    const bool direct = fits({&a.dy, &a.x});
    const Tensor dy = taken(workspace(), a.dy, direct);
    const Tensor x = taken(workspace(), a.x, direct);
    Product p;
    p.rows = dy.cols();
    p.inner = dy.rows();
    p.cols = x.cols();
    p.storage = dy.dtype;
    p.a = operand(dy, true);
    p.b = operand(x);
    p.c = a.dw.data;
    p.c_stride = a.dw.row_stride;
    p.beta = 1;
    if (a.db && dy.dtype == DType::bf16) {
      Product with_sums = p;
      with_sums.epilogue = Epilogue::row_sums;
      with_sums.sums = workspace().floats(p.rows);
      summed = sums_pay(blas_, p, with_sums, dy);
      if (summed) p = with_sums;
    }
    blas_.run(p);
    if (summed) run(Axpby{1, Tensor(p.sums, DType::f32, {p.rows}), 1, a.db});
  }
  if (a.db && !summed) kernels::sum_matrix_rows("linear_backward_bias", workspace(), a.dy, a.db);
}

}  // namespace wan
