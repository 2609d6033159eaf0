#include "model/parameter_spec.hpp"

#include <algorithm>
#include <cmath>

#include "base/hash.hpp"
#include "base/philox.hpp"

namespace wan {

Initialiser constant_initialiser(double value) {
  return {Initialiser::Kind::constant, value};
}
Initialiser uniform_initialiser(double bound) {
  return {Initialiser::Kind::uniform, bound};
}
Initialiser normal_initialiser(double deviation) {
  return {Initialiser::Kind::normal, deviation};
}
Initialiser xavier_initialiser(std::int64_t inputs, std::int64_t outputs) {
  return uniform_initialiser(std::sqrt(6.0 / static_cast<double>(inputs + outputs)));
}

void initial_values(const ParameterSpec& spec, std::uint64_t seed, std::int64_t first, std::int64_t count,
                    float* out) {
  const auto value = static_cast<float>(spec.initialiser.value);
  const RandomKey key = random_key(seed, bytes_hash(spec.name).low, 0, Purpose::initialise);
  switch (spec.initialiser.kind) {
    case Initialiser::Kind::constant:
      std::fill(out, out + count, value);
      return;
    case Initialiser::Kind::normal:
      fill_normal(key, static_cast<std::uint64_t>(first), count, out);
      std::transform(out, out + count, out, [value](float normal) { return value * normal; });
      return;
    case Initialiser::Kind::uniform:
      for (std::int64_t i = 0; i < count;) {
        const auto element = static_cast<std::uint64_t>(first + i);
        const Random4 block = philox(key, element / 4);
        for (std::uint64_t lane = element % 4; lane < 4 && i < count; ++lane) {
          out[i++] = value * (2.0F * uniform_from_bits(block.v[lane]) - 1.0F);
        }
      }
      return;
  }
}

}  // namespace wan
