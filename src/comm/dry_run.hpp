#pragma once
#include <functional>

#include "comm/communicator.hpp"

namespace wan {

/// Runs `body` once per rank, each on a thread of its own, with a communicator that joins these threads: code
/// that depends on rank and size is tested without mpirun. When a rank throws, the others' pending operations
/// throw CommError, and the first rank's own exception is rethrown here.
void dry_run(int ranks, const std::function<void(const Communicator&)>& body);

}  // namespace wan
