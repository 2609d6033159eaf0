#pragma once
#include <cstdint>
#include <limits>

namespace wan {

/// What of a block the backward computes again instead of finding it kept, from the least to the most: each
/// takes less memory and more time than the one before it.
enum class Recompute {
  none,
  norms,           ///< what is elementwise: normalised inputs, queries and keys, and the activation
  keep_attention,  ///< all but the self-attention itself, whose output and lse are kept with the block's
                   ///< input
  full,            ///< all, from the block's input
};

[[nodiscard]] constexpr const char* name_of(Recompute policy) {
  switch (policy) {
    case Recompute::none:
      break;
    case Recompute::norms:
      return "norms";
    case Recompute::keep_attention:
      return "keep_attention";
    case Recompute::full:
      return "full";
  }
  return "none";
}

/// The first `layers` blocks follow `policy`, the others `rest`.
struct RecomputePlan {
  static constexpr std::int64_t all_layers = std::numeric_limits<std::int64_t>::max();

  Recompute policy = Recompute::none;
  std::int64_t layers = all_layers;
  Recompute rest = Recompute::none;

  RecomputePlan() = default;
  /// One policy for all blocks.
  RecomputePlan(Recompute everywhere) : policy(everywhere) {}  // NOLINT(google-explicit-constructor)
  RecomputePlan(Recompute first, std::int64_t count, Recompute others)
      : policy(first), layers(count), rest(others) {}

  [[nodiscard]] Recompute of(std::int64_t layer) const { return layer < layers ? policy : rest; }
};

/// What a walk through a block leaves for its backward.
enum class Keep {
  nothing,   ///< no backward follows, or the block is computed again before it
  products,  ///< what matrix products and attention made, and the statistics of norms
  all,
};

}  // namespace wan
