#pragma once
#include <cstdint>
#include <vector>

namespace wan::checkpoint {

/// Which checkpoints stay.
struct Retention {
  /// The newest this many; 0 keeps all.
  std::int64_t keep_last = 0;
  /// And every step that is a multiple of this; 0 for none.
  std::int64_t keep_every = 0;
};

/// The steps of `present` to remove when the checkpoint of step `verified` has just been verified: that one
/// always stays, and only good ones count, so everything newer than it (left by a run that was rolled back)
/// does not push older ones out.
[[nodiscard]] std::vector<std::int64_t> steps_to_remove(const std::vector<std::int64_t>& present,
                                                        const Retention& retention, std::int64_t verified);

}  // namespace wan::checkpoint
