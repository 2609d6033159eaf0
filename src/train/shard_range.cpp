#include "train/shard_range.hpp"

#include <algorithm>

namespace wan {

std::vector<std::int64_t> shard_bounds(std::int64_t elements, int ranks) {
  constexpr std::int64_t granule = 64;
  const std::int64_t granules = (elements + granule - 1) / granule;
  std::vector<std::int64_t> bounds;
  for (std::int64_t rank = 0; rank <= ranks; ++rank) {
    bounds.push_back(std::min(granules * rank / ranks * granule, elements));
  }
  return bounds;
}

}  // namespace wan
