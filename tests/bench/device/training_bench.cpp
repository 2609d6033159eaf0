#include "shapes.hpp"

namespace wan::bench {
namespace {

using test::Owned;
using test::test_device;

constexpr std::int64_t latent_elements = tokens * 64;
/// About the demo transformer's parameters.
constexpr std::int64_t parameters = 1800000;

void activation_forward(benchmark::State& state) {
  const Owned x = tensor({tokens, 512}), y = tensor({tokens, 512});
  for (auto _ : state) test_device().ops().activation_forward({Activation::gelu_tanh, x, y});
  report(state, 0, 8.0 * tokens * 512);
}

void activation_backward(benchmark::State& state) {
  const Owned x = tensor({tokens, 512}), dy = tensor({tokens, 512}), dx = tensor({tokens, 512});
  for (auto _ : state) test_device().ops().activation_backward({Activation::gelu_tanh, dy, x, dx});
  report(state, 0, 12.0 * tokens * 512);
}

void cast_to_bf16(benchmark::State& state) {
  const Owned x = tensor({tokens, channels});
  const Owned y = test::zeros(test_device(), DType::bf16, {tokens, channels});
  for (auto _ : state) test_device().ops().cast({x, y});
  report(state, 0, 6.0 * tokens * channels);
}

void patchify(benchmark::State& state) {
  PatchLayout layout{{0}, {}};
  for (std::int64_t s = 1; s <= samples; ++s) {
    layout.offset.push_back(s * sample_tokens);
    layout.grid.push_back({5, 4, 4});
  }
  const Owned latents = tensor({latent_elements}), rows = tensor({tokens, 64});
  for (auto _ : state) test_device().ops().patchify({latents, &layout, PatchOrder::channel_first, rows});
  report(state, 0, 8.0 * latent_elements);
}

void fill_normal(benchmark::State& state) {
  FillNormal a;
  a.offset = {0};
  for (std::int64_t s = 1; s <= samples; ++s) {
    a.offset.push_back(s * latent_elements / samples);
    a.keys.push_back(random_key(1, static_cast<std::uint64_t>(s), 0, Purpose::noise));
  }
  const Owned out = tensor({latent_elements});
  a.out = out;
  for (auto _ : state) test_device().ops().fill_normal(a);
  report(state, 0, 4.0 * latent_elements);
}

void flow_loss(benchmark::State& state) {
  FlowLoss a;
  a.offset = {0};
  for (std::int64_t s = 1; s <= samples; ++s) a.offset.push_back(s * latent_elements / samples);
  a.weight.assign(samples, 1.0F);
  const Owned prediction = tensor({latent_elements}), target = tensor({latent_elements}),
              gradient = tensor({latent_elements}), loss = tensor({samples}), raw = tensor({samples});
  a.prediction = prediction;
  a.target = target;
  a.loss = loss;
  a.raw = raw;
  a.gradient = gradient;
  for (auto _ : state) test_device().ops().flow_loss(a);
  report(state, 0, 12.0 * latent_elements);
}

void adamw(benchmark::State& state) {
  const Owned gradient = tensor({parameters}), m = tensor({parameters}), master = tensor({parameters});
  const Owned v = test::zeros(test_device(), DType::f32, {parameters});
  const Owned scale(test_device(), DType::f32, {1}, {1.0F});
  AdamW a;
  a.gradient = gradient;
  a.gradient_scale = scale;
  a.exp_avg = m;
  a.exp_avg_sq = v;
  a.master = master;
  a.parameter = master;
  a.decayed = {{0, parameters / 2}};
  a.lr = 1e-3F;
  for (auto _ : state) test_device().ops().adamw(a);
  report(state, 0, 28.0 * parameters);
}

void sum_squares(benchmark::State& state) {
  const Owned x = tensor({parameters});
  const DeviceTensor sum(test_device(), DType::f64, {1});
  test_device().zero(sum.view.data, 8);
  for (auto _ : state) test_device().ops().sum_squares({x, sum.view});
  report(state, 0, 4.0 * parameters);
}

BENCHMARK(activation_forward)->Unit(benchmark::kMicrosecond);
BENCHMARK(activation_backward)->Unit(benchmark::kMicrosecond);
BENCHMARK(cast_to_bf16)->Unit(benchmark::kMicrosecond);
BENCHMARK(patchify)->Unit(benchmark::kMicrosecond);
BENCHMARK(fill_normal)->Unit(benchmark::kMicrosecond);
BENCHMARK(flow_loss)->Unit(benchmark::kMicrosecond);
BENCHMARK(adamw)->Unit(benchmark::kMicrosecond);
BENCHMARK(sum_squares)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace wan::bench
