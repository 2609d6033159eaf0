#include "media/resize_taps.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace wan {
namespace {

/// OpenCV derives the step from its own inverse; the double rounding decides some ties.
double step_of(std::int64_t source, std::int64_t target) {
  return 1.0 / (static_cast<double>(target) / static_cast<double>(source));
}

std::int32_t clamped(std::int64_t index, std::int64_t size) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(index, 0, size - 1));
}

/// Taps of N neighbours around each output's centre; weights(f) gives their weights for a centre that lies f
/// past the neighbour number N / 2 - 1.
template <std::size_t N, class Weights>
Taps centred_taps(std::int64_t source, std::int64_t target, Weights weights) {
  Taps taps;
  taps.count = static_cast<std::int64_t>(N);
  const double step = step_of(source, target);
  for (std::int64_t i = 0; i < target; ++i) {
    const auto centre = static_cast<float>((static_cast<double>(i) + 0.5) * step - 0.5);
    const auto below = static_cast<std::int64_t>(std::floor(centre));
    const std::array<float, N> w = weights(centre - static_cast<float>(below));
    for (std::size_t k = 0; k < N; ++k) {
      taps.index.push_back(
          clamped(below + static_cast<std::int64_t>(k) - static_cast<std::int64_t>(N / 2 - 1), source));
      taps.weight.push_back(w[k]);
    }
  }
  return taps;
}

std::array<float, 4> cubic_weights(float f) {
  constexpr float a = -0.75F;
  const auto near = [](float x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [](float x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  const float w0 = far(f + 1);
  const float w1 = near(f);
  const float w2 = near(1 - f);
  return {w0, w1, w2, 1 - w0 - w1 - w2};
}

std::array<float, 8> lanczos_weights(float f) {
  constexpr double pi = 3.14159265358979323846;
  std::array<double, 8> w{};
  double sum = 0;
  for (std::size_t k = 0; k < 8; ++k) {
    const double x = pi * (static_cast<double>(k) - 3.0 - static_cast<double>(f));
    w[k] = std::abs(x) < 1e-6 ? 1.0 : 4.0 * std::sin(x) * std::sin(x / 4) / (x * x);
    sum += w[k];
  }
  std::array<float, 8> normalised{};
  for (std::size_t k = 0; k < 8; ++k) normalised[k] = static_cast<float>(w[k] / sum);
  return normalised;
}

}  // namespace

Taps linear_taps(std::int64_t source, std::int64_t target) {
  return centred_taps<2>(source, target, [](float f) { return std::array<float, 2>{1 - f, f}; });
}

Taps cubic_taps(std::int64_t source, std::int64_t target) {
  return centred_taps<4>(source, target, cubic_weights);
}

Taps lanczos_taps(std::int64_t source, std::int64_t target) {
  return centred_taps<8>(source, target, lanczos_weights);
}

Taps area_taps(std::int64_t source, std::int64_t target) {
  constexpr double sliver = 1e-3;  // shares below this are left out, as OpenCV does
  const double step = step_of(source, target);
  Taps taps;
  taps.count = static_cast<std::int64_t>(std::ceil(step)) + 2;
  taps.index.assign(static_cast<std::size_t>(target * taps.count), 0);
  taps.weight.assign(static_cast<std::size_t>(target * taps.count), 0.0F);
  for (std::int64_t i = 0; i < target; ++i) {
    const double begin = static_cast<double>(i) * step;
    const double end = begin + step;
    const double width = std::min(step, static_cast<double>(source) - begin);
    const auto last = std::min(static_cast<std::int64_t>(std::floor(end)), source - 1);
    const auto first = std::min(static_cast<std::int64_t>(std::ceil(begin)), last);
    auto at = static_cast<std::size_t>(i * taps.count);
    const auto add = [&](std::int64_t index, double share) {
      taps.index[at] = clamped(index, source);
      taps.weight[at++] = static_cast<float>(share);
    };
    if (static_cast<double>(first) - begin > sliver)
      add(first - 1, (static_cast<double>(first) - begin) / width);
    for (std::int64_t x = first; x < last; ++x) add(x, 1.0 / width);
    const double rest = end - static_cast<double>(last);
    if (rest > sliver) add(last, std::min(std::min(rest, 1.0), width) / width);
  }
  return taps;
}

Taps enlarged_area_taps(std::int64_t source, std::int64_t target) {
  const double step = step_of(source, target);
  const double inverse = static_cast<double>(target) / static_cast<double>(source);
  Taps taps;
  taps.count = 2;
  for (std::int64_t i = 0; i < target; ++i) {
    const auto cell = static_cast<std::int64_t>(std::floor(static_cast<double>(i) * step));
    const auto past =
        static_cast<float>(static_cast<double>(i + 1) - static_cast<double>(cell + 1) * inverse);
    const float f = past <= 0 ? 0.0F : past - std::floor(past);
    taps.index.insert(taps.index.end(), {clamped(cell, source), clamped(cell + 1, source)});
    taps.weight.insert(taps.weight.end(), {1 - f, f});
  }
  return taps;
}

std::vector<std::int32_t> nearest_indices(std::int64_t source, std::int64_t target) {
  const double step = step_of(source, target);
  std::vector<std::int32_t> indices;
  for (std::int64_t i = 0; i < target; ++i) {
    indices.push_back(clamped(static_cast<std::int64_t>(std::floor(static_cast<double>(i) * step)), source));
  }
  return indices;
}

}  // namespace wan
