#pragma once
#include <cstdint>
#include <vector>

namespace wan::test {

/// In [-1, 1), from 32-bit arithmetic on a tensor's number and an element's index, so that any language can
/// make the same numbers.
[[nodiscard]] inline double hashed(std::uint32_t tensor, std::uint32_t index) {
  std::uint32_t h = index * 2654435761U + (tensor + 1) * 2246822519U;
  h ^= h >> 15U;
  h *= 2246822519U;
  h ^= h >> 13U;
  h *= 3266489917U;
  h ^= h >> 16U;
  return static_cast<double>(h) / 4294967296.0 * 2 - 1;
}

[[nodiscard]] inline std::vector<float> hashed_tensor(std::uint32_t tensor, std::int64_t count,
                                                      double base = 0, double amplitude = 1) {
  std::vector<float> out(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(base + amplitude * hashed(tensor, static_cast<std::uint32_t>(i)));
  }
  return out;
}

}  // namespace wan::test
