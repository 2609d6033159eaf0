#include "base/philox.hpp"

namespace wan {

void fill_normal(const RandomKey& key, std::uint64_t first, std::int64_t count, float* out) {
  float block[4];
  for (std::int64_t i = 0; i < count;) {
    const std::uint64_t element = first + static_cast<std::uint64_t>(i);
    normals_from_block(philox(key, element / 4), block);
    for (std::uint64_t lane = element % 4; lane < 4 && i < count; ++lane) out[i++] = block[lane];
  }
}

}  // namespace wan
