#include "device/ops/kokkos/matrix_sums.hpp"

#include "device/ops/kokkos/storage.hpp"
#if defined(WAN_CUDA_KERNELS)
#include "device/ops/kokkos/matrix_sums_cuda.hpp"
#else
#include "device/ops/kokkos/matrix_sums_host.hpp"
#endif

namespace wan::kernels {

void sum_matrix_rows(const char* label, Workspace& workspace, const Tensor& x, const Tensor& out) {
  with_storage(x, [&](auto rows) {
    add_rows_of(label, workspace, x.rows(), x.cols(), in_packs(x.cols(), x), rows, out.as<float>());
  });
}

}  // namespace wan::kernels
