#pragma once
#include <memory>

#include "device/ops/frames.hpp"

namespace wan {

/// The operations of the video autoencoder; the rules of Ops (device/ops.hpp) hold here too.
class FrameOps {
 public:
  virtual ~FrameOps() = default;

  /// Keeps a copy of `weight` [O, I, frames, size, size] and `bias` [O] (host memory, dense, row-major) in
  /// `storage` (fp32 or bf16; the bias stays fp32) and in the order the body wants. A plan body reads
  /// neither.
  [[nodiscard]] virtual std::unique_ptr<FrameConvWeight> prepare(const FrameConvGeometry& geometry,
                                                                 DType storage, const float* weight,
                                                                 const float* bias) = 0;

  virtual void conv(const FrameConv& a) = 0;
  virtual void norm(const FrameNorm& a) = 0;
  virtual void map(const FrameMap& a) = 0;
};

}  // namespace wan
