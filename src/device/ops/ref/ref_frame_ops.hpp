#pragma once
#include "device/ops/checked_frame_ops.hpp"

namespace wan {

/// The slow and obvious body of FrameOps, as RefOps is of Ops.
class RefFrameOps final : public CheckedFrameOps {
 protected:
  std::unique_ptr<FrameConvWeight> make(const FrameConvGeometry& geometry, DType storage, const float* weight,
                                        const float* bias) override;
  void run(const FrameConv& a) override;
  void run(const FrameNorm& a) override;
  void run(const FrameMap& a) override;
};

}  // namespace wan
