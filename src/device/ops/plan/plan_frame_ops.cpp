#include "device/ops/plan/plan_frame_ops.hpp"

#include "device/ops/plan/cost.hpp"

namespace wan {

std::unique_ptr<FrameConvWeight> PlanFrameOps::make(const FrameConvGeometry& geometry, DType storage,
                                                    const float*, const float*) {
  return std::make_unique<FrameConvWeight>(geometry, storage);
}

void PlanFrameOps::count(std::int64_t flops, std::int64_t bytes) {
  total_.calls += 1;
  total_.flops += flops;
  total_.bytes += bytes;
}

/// Multiplications with padding count too; the fused enlargement counts its 4 kernels of 2x2 instead of 3x3.
void PlanFrameOps::run(const FrameConv& a) {
  const FrameConvGeometry& g = a.weight->geometry();
  const std::int64_t taps = g.frames * (g.scale == FrameScale::twice ? 4 : g.size * g.size);
  const std::int64_t weights =
      g.outputs * g.inputs * g.frames * g.size * g.size * bytes_of(a.weight->storage());
  count(2 * a.y.elements() * g.inputs * taps, plan::bytes({&a.x, &a.y}) + weights);
}

void PlanFrameOps::run(const FrameNorm& a) {
  count((a.silu ? 8 : 4) * a.x.elements(), plan::bytes({&a.x, &a.gamma, &a.y}));
}

void PlanFrameOps::run(const FrameMap& a) {
  count(2 * a.x.elements(), plan::bytes({&a.x, &a.y}));
}

}  // namespace wan
