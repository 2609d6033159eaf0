#include "device/ops/kokkos/widened.hpp"

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan::kernels {
namespace {

template <class X, class Y>
struct CopyRow {
  std::int64_t cols;
  Matrix<X> x;
  Matrix<Y> y;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    const X* const in = x.row(row);
    Y* const out = y.row(row);
    lanes.each(cols, [=](std::int64_t c) { store(out, c, load(in, c)); });
  }
};

}  // namespace

Tensor widened(Workspace& workspace, const Tensor& tensor) {
  const Tensor out = fp32_target(workspace, tensor);
  if (out.data != tensor.data) {
    launch_rows("widen", tensor.rows(),
                CopyRow<bf16, float>{tensor.cols(), matrix<bf16>(tensor), matrix<float>(out)});
  }
  return out;
}

Tensor fp32_target(Workspace& workspace, const Tensor& tensor) {
  if (tensor.dtype == DType::f32) return tensor;
  return {workspace.floats(tensor.elements()), DType::f32, {tensor.rows(), tensor.cols()}};
}

void store_target(const Tensor& target, const Tensor& tensor) {
  if (target.data == tensor.data) return;
  launch_rows("narrow", tensor.rows(),
              CopyRow<float, bf16>{tensor.cols(), matrix<float>(target), matrix<bf16>(tensor)});
}

}  // namespace wan::kernels
