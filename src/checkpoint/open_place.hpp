#pragma once
#include <optional>
#include <string>

#include "checkpoint/checkpoint.hpp"

namespace wan::checkpoint {

/// The checkpoint that `place` names: a run's newest good one or wanted step, or that of a folder
/// RUN/iter_0001000. Throws as open_newest, and UsageError if such a folder is not of the step wanted.
/// Collective.
[[nodiscard]] std::optional<Checkpoint> open_place(const Communicator& comm, const std::string& place,
                                                   const Wanted& wanted = {});

}  // namespace wan::checkpoint
