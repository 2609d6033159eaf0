#include "media/demo_score.hpp"

#include <algorithm>
#include <cmath>

namespace wan::demo {
namespace {

constexpr double threshold = 0.125 * 255;

/// Sums over pixels, weighted by luminance above the threshold.
struct Moments {
  double weight = 0;
  double x = 0;
  double y = 0;
  std::array<double, 3> colour{};
};

void add(const Image& image, Moments& sums) {
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (std::int64_t x = 0; x < image.width; ++x) {
      const std::uint8_t* const pixel = image.row(y) + x * 3;
      const double weight =
          std::max(0.0, 0.2126 * pixel[0] + 0.7152 * pixel[1] + 0.0722 * pixel[2] - threshold);
      sums.weight += weight;
      sums.x += weight * static_cast<double>(x);
      sums.y += weight * static_cast<double>(y);
      for (std::size_t c = 0; c < 3; ++c) sums.colour[c] += weight * pixel[c];
    }
  }
}

std::int64_t nearest_colour(const std::array<double, 3>& colour) {
  const auto distance = [&](std::int64_t i) {
    double sum = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      const double d = palette[static_cast<std::size_t>(i)][c] - colour[c];
      sum += d * d;
    }
    return sum;
  };
  std::int64_t nearest = 0;
  for (std::int64_t i = 1; i < colour_count; ++i) nearest = distance(i) < distance(nearest) ? i : nearest;
  return nearest;
}

}  // namespace

Sighting judge(const std::vector<Image>& clip) {
  Moments all;
  Moments early;
  Moments late;
  const std::size_t ends = std::min<std::size_t>(5, clip.size() / 2);
  for (std::size_t t = 0; t < clip.size(); ++t) {
    add(clip[t], all);
    if (t < ends) add(clip[t], early);
    if (t + ends >= clip.size()) add(clip[t], late);
  }
  Sighting seen;
  if (all.weight > 0) {
    std::array<double, 3> mean = all.colour;
    for (double& c : mean) c /= all.weight;
    seen.colour = nearest_colour(mean);
  }
  if (early.weight > 0 && late.weight > 0) {
    const double dx = late.x / late.weight - early.x / early.weight;
    const double dy = late.y / late.weight - early.y / early.weight;
    const bool horizontal = std::abs(dx) >= std::abs(dy);
    seen.direction = horizontal ? (dx > 0 ? 0 : 1) : (dy < 0 ? 2 : 3);
  }
  return seen;
}

}  // namespace wan::demo
