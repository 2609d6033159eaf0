#include "device/ops/host/attention_blocks.hpp"

namespace wan::host {

std::vector<AttentionTask> attention_tasks(const AttentionSegments& segments, std::int64_t heads,
                                           std::int64_t most_queries) {
  std::vector<AttentionTask> out;
  for (std::size_t s = 0; s + 1 < segments.query.size(); ++s) {
    if (segments.key[s] == segments.key[s + 1]) continue;
    const std::int64_t times = segments.last_key_count.empty() ? 1 : segments.last_key_count[s];
    const auto bonus = static_cast<float>(std::log(static_cast<double>(times)));
    for (std::int64_t head = 0; head < heads; ++head) {
      for (std::int64_t begin = segments.query[s]; begin < segments.query[s + 1]; begin += most_queries) {
        const std::int64_t end = std::min(begin + most_queries, segments.query[s + 1]);
        out.push_back({head, begin, end, segments.key[s], segments.key[s + 1], bonus});
      }
    }
  }
  return out;
}

}  // namespace wan::host
