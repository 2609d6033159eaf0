#pragma once
#include <string>

#include "checkpoint/retention.hpp"
#include "checkpoint/snapshot.hpp"
#include "comm/agree.hpp"

namespace wan::checkpoint {

/// Writes `run`/iter_NNNNNNN and removes old ones by `retention`; returns when it is safe on disk, or why it
/// is not. Never throws: training goes on when a save fails, and what was there before stays. A state that
/// holds NaN or infinity is refused with ExitCode::numeric, unless the snapshot says otherwise. Collective;
/// all ranks get the same outcome. `state` and `config` count on rank 0. `threads` of each rank hash and
/// write.
///
/// Protocol: rank 0 makes iter_NNNNNNN.tmp.…, creates the HDF5 files and reserves their space (a full disk
/// shows here, on all ranks, with bytes needed and found); every rank writes its own parts by independent
/// transfers; all is synced, read back by an even split and compared with the hashes of the memory; the
/// manifest comes last; one rename makes the folder a checkpoint, replacing one of the same step in the same
/// instant.
[[nodiscard]] Outcome save(const Communicator& comm, const std::string& run, const Snapshot& snapshot,
                           const Retention& retention = {}, int threads = 1);

}  // namespace wan::checkpoint
