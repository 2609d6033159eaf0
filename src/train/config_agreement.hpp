#pragma once
#include "comm/communicator.hpp"
#include "config/train_config.hpp"

namespace wan {

/// Throws ConfigError on all ranks, naming the first key that they do not agree on, the ranks that differ
/// from rank 0 with their hosts, and the values. Ranks may read different files, or the same with different
/// environments. Collective.
void require_same_config(const Communicator& world, const TrainConfig& config);

}  // namespace wan
