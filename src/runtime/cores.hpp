#pragma once
#include "comm/communicator.hpp"

namespace wan {

/// Cores this process may run on: its affinity mask, limited by a control group's quota.
[[nodiscard]] int cores_allowed();

/// Threads for this rank when nothing is set: the cores that the ranks of this node may use together, divided
/// by their number, but no more than this rank itself may use; at least 1. Collective over `node`, the ranks
/// of one machine.
[[nodiscard]] int threads_per_rank(const Communicator& node);

}  // namespace wan
