#pragma once
#include "device/ops/kokkos/few_keys_attention.hpp"
#include "device/ops/kokkos/tensor_cores.hpp"

namespace wan::kernels {

/// Rows of one head.
using Rows = Tile<static_cast<int>(few_keys_head_dim)>;

inline constexpr float log2_e = 1.44269504088896340736F;

}  // namespace wan::kernels
