#include "device/ops/text.hpp"

#include <algorithm>
#include <cmath>

namespace wan {

std::int64_t RelativeBuckets::bucket(std::int64_t distance) const {
  const std::int64_t half = count / 2;
  const std::int64_t exact = half / 2;
  const std::int64_t base = distance > 0 ? half : 0;
  const std::int64_t size = std::abs(distance);
  if (size < exact) return base + size;
  const double place = std::log(static_cast<double>(size) / static_cast<double>(exact)) /
                       std::log(static_cast<double>(max_distance) / static_cast<double>(exact)) *
                       static_cast<double>(half - exact);
  // Bucket borders that are whole numbers belong to the bucket they open, whatever the logarithms round to.
  return base + std::min(half - 1, exact + static_cast<std::int64_t>(place + 1e-9));
}

}  // namespace wan
