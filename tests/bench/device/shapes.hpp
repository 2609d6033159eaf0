#pragma once
#include <benchmark/benchmark.h>

#include "device/ops.hpp"
#include "support/tensors.hpp"

// The demo model's training step on one of two ranks: 8 samples of 80 tokens.
namespace wan::bench {

inline constexpr std::int64_t samples = 8;
inline constexpr std::int64_t sample_tokens = 80;
inline constexpr std::int64_t tokens = samples * sample_tokens;
inline constexpr std::int64_t channels = 128;
inline constexpr std::int64_t heads = 4;
inline constexpr std::int64_t head_dim = channels / heads;

inline test::Owned tensor(const Shape& shape) {
  return test::random(test::test_device(), DType::f32, shape, 1);
}

/// The modulation row of each token: its sample.
inline test::Owned rows_by_sample() {
  std::vector<std::int32_t> rows(tokens);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i / sample_tokens);
  return test::Owned::integers(test::test_device(), {tokens}, rows);
}

/// Rates beside the time.
inline void report(benchmark::State& state, double flops, double bytes) {
  const auto runs = static_cast<double>(state.iterations());
  if (flops > 0)
    state.counters["GFLOP/s"] = benchmark::Counter(runs * flops * 1e-9, benchmark::Counter::kIsRate);
  if (bytes > 0)
    state.counters["GB/s"] = benchmark::Counter(runs * bytes * 1e-9, benchmark::Counter::kIsRate);
}

}  // namespace wan::bench
