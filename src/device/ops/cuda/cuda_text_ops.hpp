#pragma once
#include "device/ops/cuda/blas.hpp"
#include "device/ops/kokkos/kokkos_text_ops.hpp"

namespace wan {

/// A GPU's body of TextOps: attention by matrix products and our softmax, everything else by our kernels.
class CudaTextOps final : public KokkosTextOps {
 public:
  explicit CudaTextOps(cudaStream_t stream) : blas_(stream) {}

 protected:
  using KokkosTextOps::run;
  void run(const BiasedAttention& a) override;

 private:
  cuda::Blas blas_;
};

}  // namespace wan
