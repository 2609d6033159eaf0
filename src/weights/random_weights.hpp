#pragma once
#include <cstdint>

#include "model/parameters.hpp"

namespace wan {

/// Weights by which a model's speed and memory can be measured where its own are not at hand: 1 for the
/// norms, 0 for biases, uniform with deviation 1 / sqrt(inputs) for everything else, so that activations keep
/// their size. They depend on (seed, name, element) alone.
[[nodiscard]] Parameters::Source random_weights(std::uint64_t seed);

}  // namespace wan
