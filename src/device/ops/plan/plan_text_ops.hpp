#pragma once
#include "device/ops/checked_text_ops.hpp"
#include "device/ops/plan/plan_ops.hpp"

namespace wan {

/// The body of TextOps that computes nothing and counts, as PlanOps is of Ops.
class PlanTextOps final : public CheckedTextOps {
 public:
  [[nodiscard]] const OpCost& total() const { return total_; }

 protected:
  void run(const GatherRows& a) override;
  void run(const BiasedAttention& a) override;
  void run(const GatedGelu& a) override;

 private:
  void count(std::int64_t flops, std::int64_t bytes);

  OpCost total_;
};

}  // namespace wan
