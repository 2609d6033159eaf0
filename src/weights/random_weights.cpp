#include "weights/random_weights.hpp"

#include <algorithm>
#include <cmath>

#include "base/hash.hpp"
#include "base/philox.hpp"
#include "base/workers.hpp"

namespace wan {
namespace {

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

constexpr std::int64_t block_values = 8;

/// Values [first, end) of a stream of numbers uniform in (-bound, bound), in steps of 16 bits: two from each
/// of a block's numbers. `first` is a multiple of 8.
void fill_uniform(const RandomKey& key, float bound, std::int64_t first, std::int64_t end, float* out) {
  const float step = bound / 32768.0F;
  for (; first < end; first += block_values) {
    const Random4 block = philox(key, static_cast<std::uint64_t>(first / block_values));
    float values[block_values];
    for (int i = 0; i < block_values; ++i) {
      const std::uint32_t bits = block.v[i / 2] >> 16 * (i % 2) & 0xFFFFU;
      values[i] = (static_cast<float>(bits) - 32767.5F) * step;
    }
    std::copy_n(values, std::min(block_values, end - first), out + first);
  }
}

/// All of `count` values, by all cores: a text encoder has billions.
void fill_uniform(const RandomKey& key, float bound, std::int64_t count, float* out) {
  constexpr std::int64_t part = block_values << 17;
  run_jobs(workers_for(4 * count), static_cast<std::size_t>((count + part - 1) / part),
           [&](std::size_t job, std::size_t) {
             const std::int64_t first = static_cast<std::int64_t>(job) * part;
             fill_uniform(key, bound, first, std::min(count, first + part), out);
           });
}

}  // namespace

Parameters::Source random_weights(std::uint64_t seed) {
  return [seed](const ParameterSpec& spec, float* out) {
    const std::int64_t count = spec.shape.elements();
    if (ends_with(spec.name, "bias") && spec.shape.rank() == 1) {
      std::fill_n(out, count, 0.0F);
    } else if (spec.shape.rank() == 1 || ends_with(spec.name, ".gamma")) {
      std::fill_n(out, count, 1.0F);
    } else {
      const std::int64_t inputs = count / spec.shape[0];
      const RandomKey key = random_key(seed, bytes_hash(spec.name).low, 0, Purpose::initialise);
      fill_uniform(key, static_cast<float>(std::sqrt(3.0 / static_cast<double>(inputs))), count, out);
    }
  };
}

}  // namespace wan
