#pragma once
#include <vector>

#include "model/vae/vae_config.hpp"
#include "weights/weight_names.hpp"

namespace wan {

/// All weights of the video autoencoder, in the order in which Wan2.1's WanVAE_ declares them.
[[nodiscard]] std::vector<WeightName> vae_weight_names(const VaeConfig& config);

}  // namespace wan
