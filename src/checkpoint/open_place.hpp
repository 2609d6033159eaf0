#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "checkpoint/checkpoint.hpp"

namespace wan::checkpoint {

/// A run folder, and the step of it that is asked for; without one, the newest good one is.
struct Place {
  std::string run;
  std::optional<std::int64_t> step;
};

/// What a path names: a run, or the folder RUN/iter_0001000.
[[nodiscard]] Place place_of(const std::string& path);

/// The checkpoint that `place` names: a run's newest good one or wanted step, or that of a folder
/// RUN/iter_0001000. Throws as open_newest, and UsageError if such a folder is not of the step wanted.
/// Collective.
[[nodiscard]] std::optional<Checkpoint> open_place(const Communicator& comm, const std::string& place,
                                                   const Wanted& wanted = {});

}  // namespace wan::checkpoint
