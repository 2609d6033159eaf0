#pragma once
#include <string>

#include "device/ops/cuda/blas.hpp"
#include "device/ops/cuda/choices.hpp"
#include "device/ops/cuda/cudnn_attention.hpp"
#include "device/ops/kokkos/kokkos_ops.hpp"

namespace wan {

struct CudaOpsOptions {
  std::int64_t processors = 1;  ///< multiprocessors of the GPU
  /// The same bits every time: no choice by time, and backward kernels without atomic sums.
  bool deterministic = false;
  std::string choices_path;  ///< see Choices
};

/// A GPU's body: matrix products by cuBLASLt, attention by cuDNN where it has kernels (bf16, whole heads of a
/// size it knows) and else by products and our softmax, everything else by our kernels.
class CudaOps final : public KokkosOps {
 public:
  /// All ops run on `stream`.
  CudaOps(cudaStream_t stream, const CudaOpsOptions& options)
      : choices_(options.choices_path),
        blas_(stream, options.deterministic ? nullptr : &choices_),
        cudnn_(stream, options.deterministic ? nullptr : &choices_, options.deterministic,
               options.processors) {}

 protected:
  using KokkosOps::run;
  void run(const LinearForward& a) override;
  void run(const LinearBackwardData& a) override;
  void run(const LinearBackwardWeight& a) override;

  void run(const AttentionForward& a) override;
  void run(const AttentionBackward& a) override;

 private:
  cuda::Choices choices_;
  cuda::Blas blas_;
  cuda::CudnnAttention cudnn_;
};

}  // namespace wan
