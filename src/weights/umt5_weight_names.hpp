#pragma once
#include <vector>

#include "model/text/umt5_config.hpp"
#include "weights/weight_names.hpp"

namespace wan {

/// All weights of the text encoder, in the order in which Wan2.1's T5Encoder declares them (10 L + 2 of
/// them). transformers' encoder.embed_tokens.weight, a second name for shared.weight, is not listed.
[[nodiscard]] std::vector<WeightName> umt5_weight_names(const Umt5Config& config);

}  // namespace wan
