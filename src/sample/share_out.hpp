#pragma once
#include <cstdint>
#include <vector>

namespace wan {

/// Which videos a rank makes, and with whom.
struct Share {
  std::vector<std::int64_t> videos;
  int branches = 1;  ///< 2: it computes one of the two guidance branches, its partner the other
  int branch = 0;    ///< which one, if there are two: 0 the prompt's
  int group = 0;     ///< ranks of one group share their videos; groups are numbered from 0
};

/// Deals `videos` videos to `ranks` ranks. With at most as many ranks as videos, video i goes to rank i mod
/// ranks. With more, each video has a rank of its own and, if `guided`, as many as there are spare ranks get
/// a second one for the other guidance branch; ranks left over make nothing.
[[nodiscard]] Share share_of(int rank, int ranks, std::int64_t videos, bool guided);

/// Cuts a rank's videos, in order, into batches that go through the network together: few tokens make small
/// matrices, so a batch grows until it holds `enough_tokens`. `tokens` holds those of each video of the job.
[[nodiscard]] std::vector<std::vector<std::int64_t>> batches_of(const std::vector<std::int64_t>& videos,
                                                                const std::vector<std::int64_t>& tokens,
                                                                std::int64_t enough_tokens);

}  // namespace wan
