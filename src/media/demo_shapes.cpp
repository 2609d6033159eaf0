#include "media/demo_shapes.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "base/text.hpp"

namespace wan::demo {
namespace {

constexpr std::array<const char*, colour_count> colour_names = {"red", "green", "blue", "yellow"};
constexpr std::array<const char*, shape_count> shape_names = {"circle", "square"};
constexpr std::array<const char*, direction_count> direction_names = {"right", "left", "up", "down"};

constexpr std::uint32_t clip_stream = 0;
constexpr std::uint32_t left_out_stream = 1;

struct Place {
  double x;
  double y;
};

/// Share of the pixel (x, y) that the shape covers, from 4 x 4 points.
double coverage(std::int64_t x, std::int64_t y, const Place& centre, double radius, bool square) {
  constexpr int points = 4;
  const double half = radius * 0.5 * std::sqrt(3.14159265358979323846);  // of the square of equal area
  int inside = 0;
  for (int v = 0; v < points; ++v) {
    const double dy = static_cast<double>(y) + (v + 0.5) / points - centre.y;
    for (int u = 0; u < points; ++u) {
      const double dx = static_cast<double>(x) + (u + 0.5) / points - centre.x;
      const bool in_square = std::max(std::abs(dx), std::abs(dy)) <= half;
      inside += (square ? in_square : dx * dx + dy * dy <= radius * radius) ? 1 : 0;
    }
  }
  return static_cast<double>(inside) / (points * points);
}

Image draw(const Combination& what, const Place& centre, double radius) {
  Image image(side, side);
  for (std::int64_t y = 0; y < side; ++y) {
    for (std::int64_t x = 0; x < side; ++x) {
      const double share = coverage(x, y, centre, radius, what.shape == 1);
      for (std::size_t c = 0; c < 3; ++c) {
        const double full = palette[static_cast<std::size_t>(what.colour)][c];
        image.row(y)[x * 3 + static_cast<std::int64_t>(c)] =
            static_cast<std::uint8_t>(std::lround(255 * ground * (1 - share) + full * share));
      }
    }
  }
  return image;
}

/// True if every pair of two properties is shown by some combination that is kept.
bool covers_pairs(const std::vector<std::int64_t>& kept) {
  std::array<bool, colour_count * shape_count> colour_shape{};
  std::array<bool, colour_count * direction_count> colour_direction{};
  std::array<bool, shape_count * direction_count> shape_direction{};
  for (const std::int64_t number : kept) {
    const Combination c = combination(number);
    colour_shape[static_cast<std::size_t>(c.colour * shape_count + c.shape)] = true;
    colour_direction[static_cast<std::size_t>(c.colour * direction_count + c.direction)] = true;
    shape_direction[static_cast<std::size_t>(c.shape * direction_count + c.direction)] = true;
  }
  const auto all = [](const auto& flags) {
    return std::all_of(flags.begin(), flags.end(), [](bool f) { return f; });
  };
  return all(colour_shape) && all(colour_direction) && all(shape_direction);
}

std::vector<std::int64_t> every_number() {
  std::vector<std::int64_t> numbers(combination_count);
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  return numbers;
}

}  // namespace

const std::array<std::array<double, 3>, colour_count> palette = {
    {{235, 45, 40}, {45, 205, 70}, {55, 85, 240}, {235, 215, 45}}};
const std::array<std::array<int, 2>, direction_count> steps = {{{1, 0}, {-1, 0}, {0, -1}, {0, 1}}};

Combination combination(std::int64_t number) {
  assert(number >= 0 && number < combination_count);
  return {number / (shape_count * direction_count), number / direction_count % shape_count,
          number % direction_count};
}

std::string caption(const Combination& what) {
  return cat("a ", colour_names[static_cast<std::size_t>(what.colour)], " ",
             shape_names[static_cast<std::size_t>(what.shape)], " moving ",
             direction_names[static_cast<std::size_t>(what.direction)], " on a black background");
}

std::optional<Combination> parse_caption(std::string_view text) {
  for (std::int64_t number = 0; number < combination_count; ++number) {
    if (caption(combination(number)) == text) return combination(number);
  }
  return std::nullopt;
}

std::vector<Combination> left_out(std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> kept = every_number();
  const RandomKey key = random_key(seed, 0, left_out_stream, Purpose::demo_clip);
  std::sort(kept.begin(), kept.end(), [&](std::int64_t a, std::int64_t b) {
    return philox(key, static_cast<std::uint64_t>(a)).v[0] < philox(key, static_cast<std::uint64_t>(b)).v[0];
  });
  std::vector<Combination> out;
  const auto shared_properties = [&out](const Combination& a) {
    std::int64_t sum = 0;
    for (const Combination& b : out) {
      sum += (a.colour == b.colour ? 1 : 0) + (a.shape == b.shape ? 1 : 0) +
             (a.direction == b.direction ? 1 : 0);
    }
    return sum;
  };
  while (static_cast<std::int64_t>(out.size()) < count) {
    // Of those that may go, the first that has least in common with what is left out already.
    auto best = kept.end();
    for (auto candidate = kept.begin(); candidate != kept.end(); ++candidate) {
      std::vector<std::int64_t> fewer = kept;
      fewer.erase(fewer.begin() + (candidate - kept.begin()));
      if (!covers_pairs(fewer)) continue;
      if (best == kept.end() ||
          shared_properties(combination(*candidate)) < shared_properties(combination(*best))) {
        best = candidate;
      }
    }
    if (best == kept.end()) {
      throw UsageError(cat("cannot leave out ", count, " of ", combination_count,
                           " combinations; allowed are 0 to ", out.size()));
    }
    out.push_back(combination(*best));
    kept.erase(best);
  }
  return out;
}

std::vector<Image> draw_clip(const Combination& what, std::uint64_t seed, std::int64_t index) {
  const RandomKey key = random_key(seed, static_cast<std::uint64_t>(index), clip_stream, Purpose::demo_clip);
  const Random4 random = philox(key, 0);
  const auto between = [&random](int i, double low, double high) {
    return low + (high - low) * static_cast<double>(uniform_from_bits(random.v[i]));
  };
  const double radius = between(0, 9.0, 14.0);
  const double speed = between(1, 1.2, 2.2);
  const double travel = speed * static_cast<double>(frames - 1);
  const double along = between(2, radius, static_cast<double>(side) - radius - travel);
  const double across = between(3, radius, static_cast<double>(side) - radius);
  const auto& step = steps[static_cast<std::size_t>(what.direction)];
  const bool horizontal = step[1] == 0;
  const bool forward = step[0] + step[1] > 0;
  std::vector<Image> clip;
  for (std::int64_t t = 0; t < frames; ++t) {
    const double moved = speed * static_cast<double>(forward ? t : frames - 1 - t);
    clip.push_back(
        draw(what, horizontal ? Place{along + moved, across} : Place{across, along + moved}, radius));
  }
  return clip;
}

}  // namespace wan::demo
