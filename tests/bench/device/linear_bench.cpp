#include "shapes.hpp"

namespace wan::bench {
namespace {

using test::test_device;

/// Arguments: tokens, inputs, outputs.
double flops(const benchmark::State& state) {
  return 2.0 * static_cast<double>(state.range(0) * state.range(1) * state.range(2));
}

void linear_forward(benchmark::State& state) {
  const auto x = tensor({state.range(0), state.range(1)}), w = tensor({state.range(2), state.range(1)});
  const auto bias = tensor({state.range(2)}), y = tensor({state.range(0), state.range(2)});
  LinearForward a;
  a.x = x;
  a.w = w;
  a.bias = bias;
  a.y = y;
  for (auto _ : state) test_device().ops().linear_forward(a);
  report(state, flops(state), 0);
}

void linear_gelu_forward(benchmark::State& state) {
  const auto x = tensor({state.range(0), state.range(1)}), w = tensor({state.range(2), state.range(1)});
  const auto bias = tensor({state.range(2)});
  const auto y = tensor({state.range(0), state.range(2)}), pre = tensor({state.range(0), state.range(2)});
  LinearForward a;
  a.x = x;
  a.w = w;
  a.bias = bias;
  a.activation = Activation::gelu_tanh;
  a.pre = pre;
  a.y = y;
  for (auto _ : state) test_device().ops().linear_forward(a);
  report(state, flops(state), 0);
}

void linear_backward_data(benchmark::State& state) {
  const auto dx = tensor({state.range(0), state.range(1)}), w = tensor({state.range(2), state.range(1)});
  const auto dy = tensor({state.range(0), state.range(2)});
  for (auto _ : state) test_device().ops().linear_backward_data({dy, w, Activation::none, {}, false, dx});
  report(state, flops(state), 0);
}

void linear_gelu_backward_data(benchmark::State& state) {
  const auto dx = tensor({state.range(0), state.range(1)}), w = tensor({state.range(2), state.range(1)});
  const auto dy = tensor({state.range(0), state.range(2)}), pre = tensor({state.range(0), state.range(1)});
  for (auto _ : state)
    test_device().ops().linear_backward_data({dy, w, Activation::gelu_tanh, pre, false, dx});
  report(state, flops(state), 0);
}

void linear_backward_weight(benchmark::State& state) {
  const auto x = tensor({state.range(0), state.range(1)}), dy = tensor({state.range(0), state.range(2)});
  const auto dw = test::zeros(test_device(), DType::f32, {state.range(2), state.range(1)});
  const auto db = test::zeros(test_device(), DType::f32, {state.range(2)});
  for (auto _ : state) test_device().ops().linear_backward_weight({dy, x, dw, db});
  report(state, flops(state), 0);
}

/// Attention's projections, fused q k v, the two feed-forward layers, text keys, the modulation.
void shapes(benchmark::internal::Benchmark* bench) {
  bench->Args({tokens, 128, 128})
      ->Args({tokens, 128, 384})
      ->Args({tokens, 128, 512})
      ->Args({tokens, 512, 128});
  bench->Args({samples * 20, 128, 256})
      ->Args({samples, 128, 768})
      ->Args({tokens, 64, 128})
      ->Unit(benchmark::kMicrosecond);
}

BENCHMARK(linear_forward)->Apply(shapes);
BENCHMARK(linear_gelu_forward)->Args({tokens, 128, 512})->Unit(benchmark::kMicrosecond);
BENCHMARK(linear_backward_data)->Apply(shapes);
BENCHMARK(linear_gelu_backward_data)->Args({tokens, 512, 128})->Unit(benchmark::kMicrosecond);
BENCHMARK(linear_backward_weight)->Apply(shapes);

}  // namespace
}  // namespace wan::bench
