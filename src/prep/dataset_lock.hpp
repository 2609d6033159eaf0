#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/run_lock.hpp"

namespace wan {

/// Which part of a preparation a job does: shards k with k mod parts == part. One part of one is all of it.
struct PrepPart {
  std::int64_t part = 0;
  std::int64_t parts = 1;

  [[nodiscard]] bool whole() const { return parts == 1; }
  /// True if another job with this part would write the same shards.
  [[nodiscard]] bool meets(const PrepPart& other) const { return parts != other.parts || part == other.part; }
};

/// Keeps two jobs from writing the same shards: parts of one job array run side by side, everything else
/// excludes each other. Held by rank 0 of a job.
class DatasetLock {
 public:
  /// Throws Error (requeue) naming the job that holds what this one needs, CreateError, IoError.
  DatasetLock(const std::string& folder, const PrepPart& part);

 private:
  std::unique_ptr<RunLock> lock_;
};

}  // namespace wan
