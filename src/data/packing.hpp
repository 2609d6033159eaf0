#pragma once
#include <cstdint>
#include <vector>

#include "data/source.hpp"

namespace wan {

/// How samples become packs.
struct Packing {
  std::int64_t tokens = 0;  ///< capacity of a pack; a longer sample has one of its own
  std::int64_t window = 0;  ///< consecutive samples among which packs are formed; 0: one sample per pack
};

/// Indices of samples that are concatenated.
using PackPlan = std::vector<std::int64_t>;

/// First-fit decreasing (Johnson 1973; stable): the bins of items of the given sizes, each a list of item
/// numbers in the order in which they were put in. Items larger than `capacity` get a bin of their own. O(n
/// log n).
[[nodiscard]] std::vector<PackPlan> first_fit_decreasing(const std::vector<std::int64_t>& sizes,
                                                         std::int64_t capacity);

/// The packs of samples visited in `order`: each window of the order is packed by first-fit decreasing on
/// tokens. Packs come in the order of their earliest sample, and samples inside a pack in the order's, so
/// that large samples do not gather at a window's beginning.
[[nodiscard]] std::vector<PackPlan> form_packs(const SampleSource& source,
                                               const std::vector<std::int64_t>& order,
                                               const Packing& packing);

/// The samples of an epoch in the order in which it visits them: by the 64-bit number v0 + 2^32 v1 of block 0
/// of (seed, sample id, epoch, Purpose::order), then by id. It depends on nothing else, not on the index's
/// order.
[[nodiscard]] std::vector<std::int64_t> epoch_order(const SampleSource& source, std::uint64_t seed,
                                                    std::int64_t epoch);

/// The most that one pack of a source can hold, whatever the order: for memory that is planned once.
struct PackBounds {
  std::int64_t tokens = 0;     ///< max(packing.tokens, longest sample)
  std::int64_t text_rows = 0;  ///< the null text counts where it is longer than a sample's own
  std::int64_t samples = 0;
  std::int64_t longest = 0;  ///< tokens of a sample
};
[[nodiscard]] PackBounds pack_bounds(const SampleSource& source, const Packing& packing);

}  // namespace wan
