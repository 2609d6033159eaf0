#include "train/flow_matching.hpp"

#include <algorithm>
#include <cmath>

namespace wan {
namespace {

FlowDraw at_level(const FlowMatching& flow, double u) {
  u = std::max(u, 1e-5);
  const double shifted = flow.flow_shift * u / (1.0 + (flow.flow_shift - 1.0) * u);
  FlowDraw draw;
  draw.sigma = static_cast<float>(std::clamp(shifted, flow.sigma_min, flow.sigma_max));
  draw.timestep = 1000.0F * draw.sigma;
  draw.weight = flow.use_loss_weighting ? 1.0F + static_cast<float>(flow.flow_shift) * draw.sigma : 1.0F;
  return draw;
}

double level(const FlowMatching& flow, const Random4& r) {
  const double u = uniform_from_bits(r.v[1]);
  if (flow.timestep_sampling == TimestepSampling::uniform) return u;
  if (uniform_from_bits(r.v[0]) < flow.mix_uniform_ratio) return u;
  if (flow.timestep_sampling == TimestepSampling::mode) {
    const double cosine = std::cos(M_PI * u / 2.0);
    return std::clamp(1.0 - u - 1.29 * (cosine * cosine - 1.0 + u), 0.0, 1.0);
  }
  float normal[4];
  normals_from_block(r, normal);
  return 1.0 / (1.0 + std::exp(-(flow.logit_mean + flow.logit_std * static_cast<double>(normal[2]))));
}

}  // namespace

FlowDraw draw_flow(const FlowMatching& flow, std::uint64_t seed, std::uint64_t sample, std::uint32_t visit) {
  FlowDraw draw = at_level(flow, level(flow, philox(random_key(seed, sample, visit, Purpose::sigma), 0)));
  const Random4 dropout = philox(random_key(seed, sample, visit, Purpose::text_dropout), 0);
  draw.drop_text = uniform_from_bits(dropout.v[0]) < flow.text_dropout;
  return draw;
}

FlowDraw validation_flow(const FlowMatching& flow, std::uint64_t seed, std::uint64_t sample) {
  return at_level(flow,
                  uniform_from_bits(philox(random_key(seed, sample, 0, Purpose::validation_sigma), 0).v[0]));
}

}  // namespace wan
