#include "device/ops/plan/plan_text_ops.hpp"

#include "device/ops/plan/cost.hpp"

namespace wan {

void PlanTextOps::count(std::int64_t flops, std::int64_t bytes) {
  total_.calls += 1;
  total_.flops += flops;
  total_.bytes += bytes;
}

void PlanTextOps::run(const GatherRows& a) {
  count(0, plan::bytes({&a.id}) + 2 * a.y.bytes());
}

void PlanTextOps::run(const BiasedAttention& a) {
  count(4 * plan::attention_pairs(*a.segments) * a.q.cols(), plan::bytes({&a.q, &a.k, &a.v, &a.bias, &a.o}));
}

void PlanTextOps::run(const GatedGelu& a) {
  count(10 * a.y.elements(), plan::bytes({&a.gate, &a.value, &a.y}));
}

}  // namespace wan
