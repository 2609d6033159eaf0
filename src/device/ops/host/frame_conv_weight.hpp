#pragma once
#include <vector>

#include "device/frame_ops.hpp"
#include "device/ops/host/onednn_conv.hpp"

namespace wan::host {

/// The kernels by which HostFrameOps computes one convolution: a single one as given, or what folding made of
/// it.
class HostFrameConvWeight final : public FrameConvWeight {
 public:
  /// Computes in `compute`, which is the storage dtype or fp32.
  HostFrameConvWeight(const FrameConvGeometry& geometry, DType storage, DType compute, const float* weight,
                      const float* bias);

  [[nodiscard]] DType compute() const { return compute_; }
  /// [O], left to be added by who runs an interleaved convolution.
  [[nodiscard]] const std::vector<float>& bias() const { return bias_; }
  /// oneDNN reorders kernels at their first use, hence not const.
  [[nodiscard]] ConvKernel& kernel(std::size_t index) const { return kernels_[index]; }

 private:
  void fold_interleaved(const float* weight);
  void fold_enlarged(const float* weight);

  DType compute_;
  std::vector<float> bias_;
  mutable std::vector<ConvKernel> kernels_;
};

}  // namespace wan::host
