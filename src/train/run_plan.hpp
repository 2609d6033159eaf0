#pragma once
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "config/train_config.hpp"

namespace wan {

/// What a run would be made of and take, a line each: data, parameters, memory of a rank, work of the first
/// step, size of a checkpoint. Opens the data set, but no device and no run folder. Collective. Throws what
/// opening the data throws.
[[nodiscard]] std::vector<std::string> describe_run(const TrainConfig& config, const Communicator& world);

}  // namespace wan
