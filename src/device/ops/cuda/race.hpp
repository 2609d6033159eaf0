#pragma once
#include <cuda_runtime_api.h>

#include <functional>
#include <optional>

namespace wan::cuda {

struct Winner {
  int way = 0;
  float ms = 0;
};

/// The fastest of `count` ways to do the same thing. run(way) puts it on `stream` and returns false if it
/// cannot. Ways take turns, so that warmth and clocks meet all alike; way 0 wins unless another is 2 %
/// faster. Waits for the GPU: not for a step in its stride. None if no way can.
[[nodiscard]] std::optional<Winner> race(cudaStream_t stream, int count, const std::function<bool(int)>& run);

}  // namespace wan::cuda
