#pragma once
#include "device/ops/checked_text_ops.hpp"

namespace wan {

/// The slow and obvious body of TextOps, as RefOps is of Ops.
class RefTextOps final : public CheckedTextOps {
 public:
  RefTextOps() : CheckedTextOps(FloatStorage::fp32_bf16_fp64) {}

 protected:
  void run(const GatherRows& a) override;
  void run(const BiasedAttention& a) override;
  void run(const GatedGelu& a) override;
};

}  // namespace wan
