#include "train/flow_matching.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace wan {
namespace {

FlowMatching preset(TrainingMode mode) {
  TrainConfig config;
  apply_preset(config, mode);
  return config.flow_matching;
}

/// Mean weight over many samples and its standard error.
std::pair<double, double> mean_weight(const FlowMatching& flow) {
  constexpr int count = 100000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < count; ++i) {
    const double weight = draw_flow(flow, 1, static_cast<std::uint64_t>(i), 0).weight;
    sum += weight;
    squares += weight * weight;
  }
  const double mean = sum / count;
  return {mean, std::sqrt((squares / count - mean * mean) / count)};
}

TEST(flow_matching, mean_weight_of_the_presets) {
  // Closed form for uniform u, shift 3: 1 + 3 (3/2 - 3/4 ln 3) = 3.0281; the pretrain preset by
  // quadrature: 2.640.
  const auto [uniform, uniform_error] = mean_weight(preset(TrainingMode::finetune));
  EXPECT_NEAR(uniform, 3.0281, 5 * uniform_error);
  const auto [pretrain, pretrain_error] = mean_weight(preset(TrainingMode::pretrain));
  EXPECT_NEAR(pretrain, 2.640, 5 * pretrain_error + 5e-4);
}

TEST(flow_matching, a_draw_depends_on_its_address_alone) {
  const FlowMatching flow = preset(TrainingMode::pretrain);
  const FlowDraw a = draw_flow(flow, 7, 8, 9);
  EXPECT_EQ(a.sigma, draw_flow(flow, 7, 8, 9).sigma);
  EXPECT_NE(a.sigma, draw_flow(flow, 8, 8, 9).sigma);
  EXPECT_NE(a.sigma, draw_flow(flow, 7, 9, 9).sigma);
  EXPECT_NE(a.sigma, draw_flow(flow, 7, 8, 10).sigma);
}

TEST(flow_matching, text_is_dropped_at_the_rate_asked_for) {
  FlowMatching flow = preset(TrainingMode::pretrain);
  int dropped = 0;
  constexpr int count = 20000;
  for (int i = 0; i < count; ++i)
    dropped += draw_flow(flow, 3, static_cast<std::uint64_t>(i), 0).drop_text ? 1 : 0;
  EXPECT_NEAR(dropped / static_cast<double>(count), 0.1, 5 * std::sqrt(0.09 / count));
  flow.text_dropout = 0;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(draw_flow(flow, 3, static_cast<std::uint64_t>(i), 0).drop_text);
}

TEST(flow_matching, levels_stay_in_range_and_are_told_to_the_network) {
  FlowMatching flow = preset(TrainingMode::pretrain);
  flow.sigma_min = 0.2;
  flow.sigma_max = 0.7;
  for (const TimestepSampling sampling :
       {TimestepSampling::uniform, TimestepSampling::logit_normal, TimestepSampling::mode}) {
    flow.timestep_sampling = sampling;
    for (int i = 0; i < 1000; ++i) {
      const FlowDraw draw = draw_flow(flow, 5, static_cast<std::uint64_t>(i), 2);
      EXPECT_GE(draw.sigma, 0.2F);
      EXPECT_LE(draw.sigma, 0.7F);
      EXPECT_EQ(draw.timestep, 1000.0F * draw.sigma);
      EXPECT_FLOAT_EQ(draw.weight, 1.0F + 2.5F * draw.sigma);
    }
  }
}

}  // namespace
}  // namespace wan
