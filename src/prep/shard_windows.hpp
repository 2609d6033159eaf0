#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "data/shard.hpp"
#include "prep/progress.hpp"
#include "prep/shard_planning.hpp"
#include "runtime/runtime.hpp"

namespace wan {

enum class PassResult {
  complete,  ///< nothing is left to do in the shards
  stopped,   ///< a stop was asked for; what was done is kept
};

/// A pass over many shards: some are open at a time, on all ranks.
struct WindowPass {
  /// Runs on all ranks together when a window was opened, before anything is written in it: what is left to
  /// do is looked up here, so that all ranks see the same.
  std::function<void(std::vector<Shard>&)> prepare;
  /// This rank's work; returns early when a stop is asked for.
  std::function<void(std::vector<Shard>&)> work;
  /// Runs when all ranks have done their work, before the window is closed.
  std::function<void(std::vector<Shard>&)> settle;
};

/// Walks over the shards of these numbers. Every rank opens and closes all of a window, whatever happened on
/// one of them in between. Collective. Throws on all ranks what failed on one.
[[nodiscard]] PassResult walk_windows(Runtime& runtime, const PrepJob& job,
                                      const std::vector<std::int64_t>& shards, const WindowPass& pass);

/// A shard of the job as this rank alone reads it.
[[nodiscard]] Shard read_shard(const PrepJob& job, std::int64_t number);

/// What a pass counts of a shard.
using CountRows = EncodeCount (*)(const Shard&);
/// Rows that are done or rejected, of all.
[[nodiscard]] EncodeCount count_clips(const Shard& shard);
/// Rows whose text is there, of all.
[[nodiscard]] EncodeCount count_texts(const Shard& shard);

/// Rank 0's word on a pass, from what the open shards hold now; other ranks keep quiet.
class PassProgress {
 public:
  /// `start`: what all shards of the job hold already.
  PassProgress(const Runtime& runtime, EncodeStage stage, const EncodeCount& start, CountRows count);

  /// When a window was opened, and before it is closed.
  void enter(const std::vector<Shard>& window);
  void leave(const std::vector<Shard>& window);
  /// Says how far all ranks are, if it is time to.
  void tell(const std::vector<Shard>& window, const EncodeCosts& costs);
  void finish(const EncodeCosts& costs);

 private:
  [[nodiscard]] EncodeCount now(const std::vector<Shard>& window) const;

  CountRows count_;
  std::optional<Progress> progress_;  ///< of rank 0
  EncodeCount reached_;               ///< without what was done in the open window
  EncodeCount opened_;                ///< what the open window held when it was opened
};

}  // namespace wan
