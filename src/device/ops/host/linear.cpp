#include "device/ops/host/host_ops.hpp"
#include "device/ops/host/matmul.hpp"
#include "device/ops/kokkos/linear_end.hpp"
#include "device/ops/kokkos/matrix_sums.hpp"
#include "device/ops/kokkos/widened.hpp"

namespace wan {
namespace {

host::Operand operand(const Tensor& fp32, bool transposed = false) {
  return {fp32.as<const float>(), fp32.row_stride, transposed};
}

}  // namespace

void HostOps::run(const LinearForward& a) {
  const Workspace::Scope scope(workspace());
  const Tensor x = kernels::widened(workspace(), a.x);
  const Tensor w = kernels::widened(workspace(), a.w);
  const Tensor product = kernels::fp32_target(workspace(), a.pre ? a.pre : a.y);
  host::matmul(x.rows(), w.rows(), x.cols(), 1, operand(x), operand(w, true), 0, product.as<float>(),
               product.row_stride);
  if (product.data == a.y.data && !a.bias && a.activation == Activation::none) return;
  kernels::end_linear_forward(workspace(), product, a);
}

void HostOps::run(const LinearBackwardData& a) {
  const Workspace::Scope scope(workspace());
  const Tensor dy = kernels::widened(workspace(), a.dy);
  const Tensor w = kernels::widened(workspace(), a.w);
  const bool activated = a.activation != Activation::none;
  const bool apart = activated && a.accumulate;
  const Tensor product =
      apart ? Tensor(workspace().floats(a.dx.elements()), DType::f32, {a.dx.rows(), a.dx.cols()})
            : kernels::fp32_target(workspace(), a.dx);
  const bool direct = product.data == a.dx.data;
  host::matmul(dy.rows(), w.cols(), dy.cols(), 1, operand(dy), operand(w),
               direct && a.accumulate ? 1.0F : 0.0F, product.as<float>(), product.row_stride);
  if (direct && !activated) return;
  kernels::end_linear_backward_data(product, a);
}

void HostOps::run(const LinearBackwardWeight& a) {
  const Workspace::Scope scope(workspace());
  if (a.dw) {
    const Tensor dy = kernels::widened(workspace(), a.dy);
    const Tensor x = kernels::widened(workspace(), a.x);
    host::matmul(dy.cols(), x.cols(), dy.rows(), 1, operand(dy, true), operand(x), 1, a.dw.as<float>(),
                 a.dw.row_stride);
  }
  if (a.db) kernels::sum_matrix_rows("linear_backward_bias", workspace(), a.dy, a.db);
}

}  // namespace wan
