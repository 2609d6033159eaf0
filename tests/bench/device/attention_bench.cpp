#include <cmath>

#include "shapes.hpp"

namespace wan::bench {
namespace {

using test::Owned;
using test::test_device;

/// Arguments: samples, queries and keys per sample, heads, head size.
struct Problem {
  explicit Problem(const benchmark::State& state)
      : count(state.range(0)),
        dim(state.range(4)),
        q(tensor({count * state.range(1), state.range(3) * dim})),
        k(tensor({count * state.range(2), state.range(3) * dim})),
        v(tensor(k.view().shape)),
        o(tensor(q.view().shape)),
        lse(tensor({state.range(3), count * state.range(1)})),
        flops(4.0 * static_cast<double>(count * state.range(1) * state.range(2) * state.range(3) * dim)) {
    for (std::int64_t s = 0; s <= count; ++s) {
      segments.query.push_back(s * state.range(1));
      segments.key.push_back(s * state.range(2));
    }
    forward = {q, k, v, &segments, dim, 1 / std::sqrt(static_cast<float>(dim)), o, lse};
  }

  std::int64_t count, dim;
  Owned q, k, v, o, lse;
  double flops;
  AttentionSegments segments;
  AttentionForward forward;
};

void attention_forward(benchmark::State& state) {
  const Problem p(state);
  for (auto _ : state) test_device().ops().attention_forward(p.forward);
  report(state, p.flops, 0);
}

void attention_backward(benchmark::State& state) {
  const Problem p(state);
  test_device().ops().attention_forward(p.forward);
  const Owned dout = tensor(p.q.view().shape), dq = tensor(p.q.view().shape);
  const Owned dk = tensor(p.k.view().shape), dv = tensor(p.k.view().shape);
  const AttentionBackward a{p.q, p.k, p.v, p.o, p.lse, dout, &p.segments, p.dim, p.forward.scale, dq, dk, dv};
  for (auto _ : state) test_device().ops().attention_backward(a);
  report(state, 2.5 * p.flops, 0);
}

/// Self attention of the demo, its text keys (19 and the padding's one), and one long head as in the real
/// model.
void shapes(benchmark::internal::Benchmark* bench) {
  bench->Args({samples, sample_tokens, sample_tokens, heads, head_dim});
  bench->Args({samples, sample_tokens, 20, heads, head_dim});
  bench->Args({1, 4096, 4096, 1, 128})->Unit(benchmark::kMicrosecond);
}

BENCHMARK(attention_forward)->Apply(shapes);
BENCHMARK(attention_backward)->Apply(shapes);

}  // namespace
}  // namespace wan::bench
