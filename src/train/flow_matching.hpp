#pragma once
#include <cstdint>

#include "base/philox.hpp"
#include "config/train_config.hpp"

namespace wan {

/// How noise levels are drawn and weighted (NeMo DFM flow_matching_pipeline.py; Esser et al. 2024 for
/// logit-normal and mode).
using FlowMatching = TrainConfig::FlowMatching;

/// What one sample draws at one visit.
struct FlowDraw {
  float sigma = 0;
  float timestep = 0;  ///< 1000 sigma
  float weight = 1;    ///< 1 + shift sigma, or 1 when unweighted
  bool drop_text = false;
};

/// Draws for (seed, sample, visit): from block 0 of Purpose::sigma, word 0 chooses uniform (below the mix
/// ratio) or not, word 1 is the uniform u, words 2 and 3 make the normal; text is dropped when word 0 of
/// block 0 of Purpose::text_dropout, as a number in (0, 1), is below the rate. sigma = shift u / (1 + (shift
/// - 1) u) with u >= 1e-5, kept in [sigma_min, sigma_max].
[[nodiscard]] FlowDraw draw_flow(const FlowMatching& flow, std::uint64_t seed, std::uint64_t sample,
                                 std::uint32_t visit);

/// The level at which a validation sample is always measured: u uniform in (0, 1) by
/// Purpose::validation_sigma, shifted as in training; text is never dropped.
[[nodiscard]] FlowDraw validation_flow(const FlowMatching& flow, std::uint64_t seed, std::uint64_t sample);

}  // namespace wan
