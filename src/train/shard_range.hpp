#pragma once
#include <cstdint>
#include <vector>

namespace wan {

/// How `elements` elements are dealt to `ranks` ranks: rank r owns [bound[r], bound[r + 1]). Bounds are
/// multiples of 64 except the last, and shares differ by at most 64.
[[nodiscard]] std::vector<std::int64_t> shard_bounds(std::int64_t elements, int ranks);

}  // namespace wan
