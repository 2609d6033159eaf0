#pragma once
#include <cstdint>
#include <string>

#include "config/train_config.hpp"
#include "data/packing.hpp"
#include "model/dit/dit.hpp"

namespace wan {

/// What to change of a run that needs more than the `bytes` of a GPU's memory: what it takes by kind, the
/// lightest recompute policy if that fits, else the longest micro batch that does, else that only more ranks
/// or a larger GPU help. `dit` need not be placed.
[[nodiscard]] std::string memory_advice(const Dit& dit, const TrainConfig& config, const PackBounds& bounds,
                                        std::int64_t ranks, std::int64_t bytes);

/// The same for a configuration alone; opens its data set.
[[nodiscard]] std::string memory_advice(const TrainConfig& config, std::int64_t ranks, std::int64_t bytes);

}  // namespace wan
