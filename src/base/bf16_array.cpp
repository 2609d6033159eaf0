#include "base/bf16_array.hpp"

#include <algorithm>
#include <thread>
#include <vector>

namespace wan {

void round_to_bf16(const float* from, std::int64_t count, bf16* to) {
  constexpr std::int64_t least = std::int64_t{1} << 20;  // worth a thread
  const std::int64_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::int64_t part = std::max(least, (count + cores - 1) / cores);
  std::vector<std::thread> others;
  for (std::int64_t first = part; first < count; first += part) {
    others.emplace_back(
        [=] { std::transform(from + first, from + std::min(count, first + part), to + first, to_bf16); });
  }
  std::transform(from, from + std::min(count, part), to, to_bf16);
  for (std::thread& other : others) other.join();
}

}  // namespace wan
