#pragma once
#include <map>
#include <string>
#include <vector>

#include "model/parameters.hpp"
#include "model/vae/vae_config.hpp"

namespace wan::test {

/// Weights in memory by diffusers' names.
using VaeWeights = std::map<std::string, std::vector<float>>;

/// Numbers from the integer hash: tensor k in the official order by hashed_tensor(k); gammas 1 + 0.1 u,
/// convolutions 0.2 u, biases 0.1 u.
[[nodiscard]] VaeWeights hashed_weights(const VaeConfig& config);
/// Normals that keep activations near 1 at any width.
[[nodiscard]] VaeWeights random_weights(const VaeConfig& config, std::uint64_t seed);

/// `weights` must outlive the source. Throws DataError for a name or size that they do not hold.
[[nodiscard]] Parameters::Source source_of(const VaeWeights& weights);

}  // namespace wan::test
