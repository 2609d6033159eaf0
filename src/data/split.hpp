#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace wan {

enum class Split : std::uint8_t { train, validation, test };
inline constexpr std::array all_splits{Split::train, Split::validation, Split::test};

/// "train", "validation", "test"
[[nodiscard]] std::string name_of(Split split);

/// Weights of the three splits, in their order; not negative, train's positive.
using SplitWeights = std::array<double, 3>;

/// Where all clips of a source belong: its name's XXH3-128, as a number in [0, 1), falls into the train,
/// validation or test part of the weights. Sources keep their split when others are added, and clips of one
/// video never straddle two.
[[nodiscard]] Split split_of(std::string_view source, const SplitWeights& weights);

}  // namespace wan
