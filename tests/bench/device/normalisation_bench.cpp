#include <numeric>

#include "shapes.hpp"

namespace wan::bench {
namespace {

using test::Owned;
using test::test_device;

constexpr double matrix_bytes = 4.0 * tokens * channels;

void layer_norm_forward(benchmark::State& state) {
  const Owned x = tensor({tokens, channels}), y = tensor({tokens, channels}), mean = tensor({tokens}),
              rstd = tensor({tokens}), modulation = tensor({samples, 6 * channels}), rows = rows_by_sample();
  LayerNormForward a;
  a.x = x;
  a.scale = modulation.view().col_range(channels, 2 * channels);
  a.shift = modulation.view().col_range(0, channels);
  a.row_index = rows;
  a.y = y;
  a.mean = mean;
  a.rstd = rstd;
  for (auto _ : state) test_device().ops().layer_norm_forward(a);
  report(state, 0, 2 * matrix_bytes);
}

void layer_norm_backward(benchmark::State& state) {
  const Owned x = tensor({tokens, channels}), dy = tensor({tokens, channels}),
              dx = tensor({tokens, channels}), mean = tensor({tokens}), rstd = tensor({tokens}),
              modulation = tensor({samples, 6 * channels}), gradient = tensor({samples, 6 * channels}),
              rows = rows_by_sample();
  LayerNormBackward a;
  a.dy = dy;
  a.x = x;
  a.mean = mean;
  a.rstd = rstd;
  a.scale = modulation.view().col_range(channels, 2 * channels);
  a.row_index = rows;
  a.dx = dx;
  a.dscale = gradient.view().col_range(channels, 2 * channels);
  a.dshift = gradient.view().col_range(0, channels);
  for (auto _ : state) test_device().ops().layer_norm_backward(a);
  report(state, 0, 4 * matrix_bytes);
}

void gated_residual_forward(benchmark::State& state) {
  const Owned x = tensor({tokens, channels}), y = tensor({tokens, channels}),
              out = tensor({tokens, channels}), gate = tensor({samples, channels}), rows = rows_by_sample();
  for (auto _ : state) test_device().ops().gated_residual_forward({x, y, gate, rows, out});
  report(state, 0, 3 * matrix_bytes);
}

void gated_residual_backward(benchmark::State& state) {
  const Owned g = tensor({tokens, channels}), y = tensor({tokens, channels}), dy = tensor({tokens, channels}),
              gate = tensor({samples, channels}), dgate = tensor({samples, channels}),
              rows = rows_by_sample();
  for (auto _ : state) test_device().ops().gated_residual_backward({g, y, gate, rows, dy, dgate});
  report(state, 0, 3 * matrix_bytes);
}

/// Grids of 5 x 4 x 4 tokens.
struct Rope {
  Rope() {
    std::vector<std::int32_t> places;
    for (std::int32_t token = 0; token < tokens; ++token) {
      const std::int32_t in_sample = token % static_cast<std::int32_t>(sample_tokens);
      places.insert(places.end(), {in_sample / 16, in_sample / 4 % 4, in_sample % 4});
    }
    position = Owned::integers(test_device(), {tokens, 3}, places);
  }
  [[nodiscard]] RopeTable table() const { return {cosine, sine, position}; }

  Owned cosine = tensor({8, head_dim / 2}), sine = tensor({8, head_dim / 2}), position;
};

void rms_norm_rope_forward(benchmark::State& state) {
  const Rope rope;
  const Owned x = tensor({tokens, channels}), y = tensor({tokens, channels}), weight = tensor({channels}),
              rstd = tensor({tokens});
  const RmsNormRopeForward a{x, weight, 1e-6F, channels, head_dim, rope.table(), {}, y, rstd};
  for (auto _ : state) test_device().ops().rms_norm_rope_forward(a);
  report(state, 0, 2 * matrix_bytes);
}

void rms_norm_rope_backward(benchmark::State& state) {
  const Rope rope;
  const Owned x = tensor({tokens, channels}), dy = tensor({tokens, channels}),
              dx = tensor({tokens, channels}), weight = tensor({channels}), rstd = tensor({tokens}),
              dweight = tensor({channels});
  const RmsNormRopeBackward a{dy, x, weight, rstd, channels, head_dim, rope.table(), {}, dx, dweight};
  for (auto _ : state) test_device().ops().rms_norm_rope_backward(a);
  report(state, 0, 3 * matrix_bytes);
}

BENCHMARK(layer_norm_forward)->Unit(benchmark::kMicrosecond);
BENCHMARK(layer_norm_backward)->Unit(benchmark::kMicrosecond);
BENCHMARK(gated_residual_forward)->Unit(benchmark::kMicrosecond);
BENCHMARK(gated_residual_backward)->Unit(benchmark::kMicrosecond);
BENCHMARK(rms_norm_rope_forward)->Unit(benchmark::kMicrosecond);
BENCHMARK(rms_norm_rope_backward)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace wan::bench
