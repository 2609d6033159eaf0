#pragma once
#include <vector>

#include "model/dit/config.hpp"
#include "weights/weight_names.hpp"

namespace wan {

/// All weights of the transformer, in the order in which Wan2.1's WanModel declares them (27 L + 15 of them).
/// Names: diffusers scripts/convert_wan_to_diffusers.py. Mind that official norm3 is diffusers' norm2.
[[nodiscard]] std::vector<WeightName> dit_weight_names(const DitConfig& config);

}  // namespace wan
