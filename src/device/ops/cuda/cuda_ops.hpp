#pragma once
#include <cstdint>

#include "device/ops/cuda/blas.hpp"
#include "device/ops/cuda/choices.hpp"
#include "device/ops/cuda/cudnn_attention.hpp"
#include "device/ops/kokkos/kokkos_ops.hpp"

namespace wan {

struct CudaOpsOptions {
  std::int64_t processors = 1;  ///< multiprocessors of the GPU
  /// The same bits every time: backward kernels without atomic sums. Choices by time are against it.
  bool deterministic = false;
  /// What was found to be fastest; outlives the ops. Without it nothing is chosen by time.
  cuda::Choices* choices = nullptr;
};

/// A GPU's body: matrix products by cuBLASLt, attention by cuDNN where it has kernels (bf16, whole heads of a
/// size it knows) and else by products and our softmax, everything else by our kernels.
class CudaOps final : public KokkosOps {
 public:
  /// All ops run on `stream`.
  CudaOps(cudaStream_t stream, const CudaOpsOptions& options)
      : blas_(stream, options.choices),
        cudnn_(stream, options.choices, options.deterministic, options.processors) {}

 protected:
  using KokkosOps::run;
  void run(const LinearForward& a) override;
  void run(const LinearBackwardData& a) override;
  void run(const LinearBackwardWeight& a) override;

  void run(const AttentionForward& a) override;
  void run(const AttentionBackward& a) override;

 private:
  cuda::Blas blas_;
  cuda::CudnnAttention cudnn_;
};

}  // namespace wan
