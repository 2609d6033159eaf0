#pragma once
#include <cstdint>
#include <string>

#include "base/hash.hpp"
#include "config/sample_options.hpp"
#include "runtime/runtime.hpp"

namespace wan {

/// The seed that the videos of a job count from. Where the flags leave it to chance, the number drawn is kept
/// in a file in the output folder until the job has made all its videos: the same command, started again
/// after a stop, goes on with the same ones.
class BaseSeed {
 public:
  /// `job` tells apart jobs that write to one folder: a hash of all that decides about the videos but the
  /// seed. Collective. Throws CreateError, IoError on all ranks.
  BaseSeed(const Runtime& runtime, const SampleOptions& options, const Hash128& job);

  [[nodiscard]] std::uint64_t value() const { return value_; }

  /// When all videos are there: the next start of this command draws anew. For one rank to call.
  void forget() const;

 private:
  std::uint64_t value_ = 0;
  std::string note_;  ///< the file; empty if the flags gave the seed
};

}  // namespace wan
