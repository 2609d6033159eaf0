#pragma once
#include <string>

#include "checkpoint/checkpoint.hpp"
#include "config/choices.hpp"

namespace wan::checkpoint {

inline constexpr const char* averaged_folder = "/ema/transformer/";
inline constexpr const char* trained_folder = "/transformer/";
/// Where it holds a tensor, that is the weight, and the one in the trained folder its rounding to bf16.
inline constexpr const char* master_folder = "/master/transformer/";

/// Where in the checkpoint the chosen weights are. Throws DataError if they are the averaged ones and it
/// holds none.
[[nodiscard]] std::string weight_folder(const Checkpoint& from, WeightChoice choice);

}  // namespace wan::checkpoint
