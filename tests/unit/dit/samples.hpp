#pragma once
#include <cstdint>
#include <vector>

#include "support/dit_harness.hpp"

// Small models and random samples for the tests of the DiT.
namespace wan::test {

/// Two heads of 24, two blocks, four channels: the model of the golden vectors too.
[[nodiscard]] DitConfig small_config();

/// A sample of normals.
[[nodiscard]] DitSample random_sample(const DitConfig& config, const Grid& grid, float timestep,
                                      std::int64_t text_length, std::uint64_t seed);

/// Normals in the layout of the samples' predictions, one after the other.
[[nodiscard]] std::vector<float> random_target(const DitConfig& config, const std::vector<DitSample>& samples,
                                               std::uint64_t seed);

}  // namespace wan::test
