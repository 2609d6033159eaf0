#pragma once
#include <cstdint>

namespace wan {

/// Bytes of one bf16 number for each query and key of the heads that a deterministic backward of attention on
/// a GPU takes together: more heads go by turns. One head may take more.
inline constexpr std::int64_t deterministic_shares = 4LL << 30U;

}  // namespace wan
