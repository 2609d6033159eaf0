#pragma once
#include "device/ops/ref/ref_frame_ops.hpp"
#include "device/ops/ref/ref_ops.hpp"
#include "device/ops/ref/ref_text_ops.hpp"
#include "support/forwarding_device.hpp"

namespace wan::test {

/// The reference ops on another device's memory, which must be host memory.
class ReferenceDevice final : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;

  [[nodiscard]] Ops& ops() override { return ops_; }
  [[nodiscard]] FrameOps& frame_ops() override { return frame_ops_; }
  [[nodiscard]] TextOps& text_ops() override { return text_ops_; }

 private:
  RefOps ops_;
  RefFrameOps frame_ops_;
  RefTextOps text_ops_;
};

}  // namespace wan::test
