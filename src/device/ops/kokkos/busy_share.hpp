#pragma once
#include <cstdint>

namespace wan::kernels {

/// Share of a GPU's multiprocessors that are busy while so many equal blocks are worked off.
[[nodiscard]] inline double busy_share(std::int64_t blocks, std::int64_t processors) {
  const std::int64_t rounds = (blocks + processors - 1) / processors;
  return static_cast<double>(blocks) / static_cast<double>(rounds * processors);
}

}  // namespace wan::kernels
