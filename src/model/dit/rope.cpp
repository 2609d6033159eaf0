#include "model/dit/rope.hpp"

#include <cmath>

namespace wan {

RopeAngles rope_angles(std::int64_t positions, std::int64_t head_dim) {
  const std::int64_t pairs = head_dim / 2;
  const std::int64_t third = pairs / 3;
  const std::int64_t axis_pairs[3] = {pairs - 2 * third, third, third};
  std::vector<double> frequency;
  for (const std::int64_t count : axis_pairs) {
    for (std::int64_t j = 0; j < count; ++j) {
      frequency.push_back(std::pow(10000.0, -static_cast<double>(j) / static_cast<double>(count)));
    }
  }
  RopeAngles out;
  for (std::int64_t position = 0; position < positions; ++position) {
    for (const double f : frequency) {
      out.cosine.push_back(static_cast<float>(std::cos(static_cast<double>(position) * f)));
      out.sine.push_back(static_cast<float>(std::sin(static_cast<double>(position) * f)));
    }
  }
  return out;
}

}  // namespace wan
