#pragma once
#include "device/ops/cuda/blas.hpp"
#include "device/ops/cuda/cudnn_conv.hpp"
#include "device/ops/cuda/frame_conv_weight.hpp"
#include "device/ops/kokkos/kokkos_frame_ops.hpp"

namespace wan {

/// A GPU's body of FrameOps: bf16 convolutions by cuDNN, small ones and those of fp32 (which cuDNN would
/// shorten to TF32) as matrix products over blocks of gathered pixels, everything else by our kernels.
class CudaFrameOps final : public KokkosFrameOps {
 public:
  /// With `choices`, which outlive it, large convolutions are raced.
  CudaFrameOps(cudaStream_t stream, cuda::Choices* choices)
      : stream_(stream), blas_(stream), cudnn_(stream, choices) {}

 protected:
  using KokkosFrameOps::run;
  std::unique_ptr<FrameConvWeight> make(const FrameConvGeometry& geometry, DType storage, const float* weight,
                                        const float* bias) override;
  void run(const FrameConv& a) override;
  void run(const FrameNorm& a) override;

 private:
  [[nodiscard]] bool convolve(const FrameConv& a, const cuda::CudaFrameConvWeight& weight);
  void multiply(const FrameConv& a, const cuda::CudaFrameConvWeight& weight);

  cudaStream_t stream_;
  cuda::Blas blas_;
  cuda::CudnnConv cudnn_;
};

}  // namespace wan
