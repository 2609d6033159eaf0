#pragma once
#include <cstdint>

#include "base/bf16.hpp"

namespace wan {

/// to_bf16 of `count` values, by several threads where there are many.
void round_to_bf16(const float* from, std::int64_t count, bf16* to);

}  // namespace wan
