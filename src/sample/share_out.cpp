#include "sample/share_out.hpp"

#include <algorithm>

namespace wan {

Share share_of(int rank, int ranks, std::int64_t videos, bool guided) {
  Share share;
  share.group = rank;
  if (ranks <= videos) {
    for (std::int64_t i = rank; i < videos; i += ranks) share.videos.push_back(i);
    return share;
  }
  const int count = static_cast<int>(videos);
  const int pairs = guided ? std::min(count, ranks - count) : 0;
  if (rank < 2 * pairs) {
    share.group = rank / 2;
    share.branches = 2;
    share.branch = rank % 2;
  } else {
    share.group = rank - pairs;
  }
  if (share.group < count) share.videos.push_back(share.group);
  return share;
}

std::vector<std::vector<std::int64_t>> batches_of(const std::vector<std::int64_t>& videos,
                                                  const std::vector<std::int64_t>& tokens,
                                                  std::int64_t enough_tokens) {
  std::vector<std::vector<std::int64_t>> batches;
  std::int64_t held = enough_tokens;
  for (const std::int64_t video : videos) {
    if (held >= enough_tokens) {
      batches.emplace_back();
      held = 0;
    }
    batches.back().push_back(video);
    held += tokens[static_cast<std::size_t>(video)];
  }
  return batches;
}

}  // namespace wan
