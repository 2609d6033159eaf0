#pragma once
#include <cstdint>
#include <vector>

#include "model/dit/config.hpp"

namespace wan {

/// Model FLOPs of one training step (forward and twice that for the backward, multiply-add = 2, recompute not
/// counted) over samples of `tokens` video tokens each with 512 text rows, as Megatron-Bridge's
/// wan_provider.py counts them: per layer 8 q H^2 + 4 q^2 H (self-attention), 4 q H^2 + 4 k H^2 + 4 q k H
/// (cross-attention), 4 q H F (FFN); once patch, text MLP and head. Padded text rows count although they are
/// computed once only, so that the figure can be held against others'.
[[nodiscard]] double training_flops(const DitConfig& config, const std::vector<std::int64_t>& tokens);

}  // namespace wan
