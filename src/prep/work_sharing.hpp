#pragma once
#include <cstdint>
#include <vector>

#include "data/shard.hpp"
#include "prep/decode_ahead.hpp"

namespace wan {

/// The videos of some open shards that still have empty rows, in order. `first_shard` numbers the tasks'
/// shards from 0 in the list given.
[[nodiscard]] std::vector<SourceTask> pending_sources(const std::vector<Shard>& shards,
                                                      const std::string& video_folder);

/// This rank's share: the videos, most frames first, go one by one to the rank that has the fewest pixels so
/// far. A video with more than half the part of all pixels that one of a rank's `threads` decodes is cut into
/// runs of clips, so that one long video keeps no rank and no thread waiting. Videos of one size come
/// together, so that the encoder's memory is set up rarely. All ranks compute the same, if `threads` is the
/// same.
[[nodiscard]] std::vector<SourceTask> share_of(std::vector<SourceTask> sources, int rank, int ranks,
                                               int threads = 1);

}  // namespace wan
