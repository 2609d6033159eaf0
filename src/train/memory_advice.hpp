#pragma once
#include <cstdint>
#include <string>

#include "config/train_config.hpp"
#include "data/packing.hpp"
#include "device/device.hpp"
#include "model/dit/dit.hpp"

namespace wan {

/// What to change where a run did not find the memory it needs on a GPU that now has `memory`: what it takes
/// by kind, and who else is to blame, or the lightest recompute policy that makes it fit, else the longest
/// micro batch that does, else that only more ranks or a larger GPU help. `dit` need not be placed.
[[nodiscard]] std::string memory_advice(const Dit& dit, const TrainConfig& config, const PackBounds& bounds,
                                        std::int64_t ranks, const DeviceMemory& memory);

/// The same for a configuration alone; opens its data set.
[[nodiscard]] std::string memory_advice(const TrainConfig& config, std::int64_t ranks,
                                        const DeviceMemory& memory);

}  // namespace wan
