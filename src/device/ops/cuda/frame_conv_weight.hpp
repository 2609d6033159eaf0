#pragma once
#include "device/ops/cuda/memory.hpp"
#include "device/ops/frames.hpp"

namespace wan::cuda {

/// A convolution's numbers on the GPU. Channels are padded by zeros to multiples of 8, so that rows of bf16
/// begin at multiples of 16 bytes.
class CudaFrameConvWeight final : public FrameConvWeight {
 public:
  CudaFrameConvWeight(const FrameConvGeometry& geometry, DType storage, const float* weight,
                      const float* bias);

  /// Padded numbers of channels.
  [[nodiscard]] std::int64_t inputs() const;
  [[nodiscard]] std::int64_t outputs() const;
  [[nodiscard]] std::int64_t taps() const;

  /// [outputs(), taps, inputs()], taps in order (time, row, column).
  [[nodiscard]] const void* matrix() const { return matrix_.data(); }
  /// [outputs()]
  [[nodiscard]] const float* bias() const { return static_cast<const float*>(bias_.data()); }

 private:
  DeviceCopy matrix_;
  DeviceCopy bias_;
};

}  // namespace wan::cuda
