#include "checkpoint/retention.hpp"

#include <algorithm>

namespace wan::checkpoint {

std::vector<std::int64_t> steps_to_remove(const std::vector<std::int64_t>& present,
                                          const Retention& retention, std::int64_t verified) {
  std::vector<std::int64_t> removed;
  if (retention.keep_last <= 0) return removed;
  std::vector<std::int64_t> newest_first = present;
  std::sort(newest_first.rbegin(), newest_first.rend());
  std::int64_t kept = 0;
  for (const std::int64_t step : newest_first) {
    if (step > verified) continue;
    const bool among_last = kept < retention.keep_last;
    ++kept;
    const bool milestone = retention.keep_every > 0 && step % retention.keep_every == 0;
    if (!among_last && !milestone && step != verified) removed.push_back(step);
  }
  return removed;
}

}  // namespace wan::checkpoint
