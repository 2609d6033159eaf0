#pragma once
#include <cstdint>
#include <vector>

namespace wan {

/// How `elements` elements are dealt to `ranks` ranks: rank r owns [bound[r], bound[r + 1]). Bounds are
/// multiples of 64 except the last. All shares are equal but the last, which has the less than 64 a rank that
/// are left over: equal parts are what collectives on devices are fast with.
[[nodiscard]] std::vector<std::int64_t> shard_bounds(std::int64_t elements, int ranks);

}  // namespace wan
