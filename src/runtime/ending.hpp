#pragma once
#include "comm/agree.hpp"

namespace wan {

/// The last thing ranks do together. If all arrive, whatever their outcomes, returns the worst on all ranks
/// after one of them has logged it. A rank that failed waits `grace_s` for the others; if they do not come
/// (they wait for it in some collective), the lowest of the failed ranks logs its message and ends all by
/// MPI_Abort with its exit code. A rank that did well waits as long as it takes.
[[nodiscard]] Outcome meet_at_the_end(const Communicator& comm, const Outcome& mine, double grace_s);

/// "rank 3 on node7: <message>", or the message alone when there is only one rank.
[[nodiscard]] std::string described(const Outcome& outcome, int ranks);

}  // namespace wan
