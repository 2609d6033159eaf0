#include "train/shard_range.hpp"

namespace wan {

std::vector<std::int64_t> shard_bounds(std::int64_t elements, int ranks) {
  constexpr std::int64_t granule = 64;
  const std::int64_t share = elements / (granule * ranks) * granule;
  std::vector<std::int64_t> bounds;
  for (std::int64_t rank = 0; rank < ranks; ++rank) bounds.push_back(rank * share);
  bounds.push_back(elements);
  return bounds;
}

}  // namespace wan
