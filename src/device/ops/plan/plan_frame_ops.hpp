#pragma once
#include "device/ops/checked_frame_ops.hpp"
#include "device/ops/plan/plan_ops.hpp"

namespace wan {

/// The body of FrameOps that computes nothing and counts, as PlanOps is of Ops. Accepts weights of any body.
class PlanFrameOps final : public CheckedFrameOps {
 public:
  [[nodiscard]] const OpCost& total() const { return total_; }

 protected:
  std::unique_ptr<FrameConvWeight> make(const FrameConvGeometry& geometry, DType storage, const float* weight,
                                        const float* bias) override;
  void run(const FrameConv& a) override;
  void run(const FrameNorm& a) override;
  void run(const FrameMap& a) override;

 private:
  void count(std::int64_t flops, std::int64_t bytes);

  OpCost total_;
};

}  // namespace wan
