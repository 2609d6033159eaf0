#pragma once
#include <array>
#include <cmath>
#include <cstdint>

#include "base/hash.hpp"
#include "base/host_device.hpp"

namespace wan {

/// What a random number is for; part of its address, so that streams never meet.
enum class Purpose : std::uint32_t {
  noise = 1,             ///< training noise, one normal per element of the sample's [C,T',h,w]
  sigma = 2,             ///< block 0: u, normal and the uniform-or-normal choice
  text_dropout = 3,      ///< block 0
  order = 4,             ///< epoch order of the data set
  initialise = 5,        ///< weight initialisation; the sample id is the hash of the parameter's name
  validation_noise = 6,  ///< fixed noise of validation samples
  validation_sigma = 7,
  sampling_noise = 8,  ///< initial latent of wan-sample
  posterior = 9,       ///< wan-prep --stochastic
  mock_latent = 10,
  mock_text = 11,
  demo_clip = 12,  ///< wan-demo-clips; the sample id is the clip's number
};

/// Address of a stream of random numbers. Philox4x32-10 (Salmon et al. 2011) with
/// key = mix64(mix64(seed) ^ id) and counter = (block low, block high, step, purpose).
struct RandomKey {
  std::uint32_t key[2];
  std::uint32_t step;
  std::uint32_t purpose;
};

[[nodiscard]] inline RandomKey random_key(std::uint64_t seed, std::uint64_t id, std::uint32_t step,
                                          Purpose purpose) {
  const std::uint64_t key = mix64(mix64(seed) ^ id);
  return {{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)},
          step,
          static_cast<std::uint32_t>(purpose)};
}

struct Random4 {
  std::uint32_t v[4];
};

/// Block number `block` of the stream: four 32-bit integers.
WAN_HOST_DEVICE inline Random4 philox(const RandomKey& key, std::uint64_t block) {
  std::uint32_t c0 = static_cast<std::uint32_t>(block);
  std::uint32_t c1 = static_cast<std::uint32_t>(block >> 32);
  std::uint32_t c2 = key.step;
  std::uint32_t c3 = key.purpose;
  std::uint32_t k0 = key.key[0];
  std::uint32_t k1 = key.key[1];
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53U} * c0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57U} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return {{c0, c1, c2, c3}};
}

/// In (0, 1): the upper 24 bits, centred in their interval.
WAN_HOST_DEVICE inline float uniform_from_bits(std::uint32_t bits) {
  return (static_cast<float>(bits >> 8) + 0.5F) * 5.9604644775390625e-08F;
}

/// Four standard normals from one block by Box-Muller: (v0, v1) give 0 and 1, (v2, v3) give 2 and 3. Radius
/// from
/// ((v0 >> 8) + 1) / 2^24, angle from (v1 >> 8) / 2^24 turns, all in float.
WAN_HOST_DEVICE inline void normals_from_block(const Random4& r, float out[4]) {
  for (int pair = 0; pair < 2; ++pair) {
    const float u = (static_cast<float>(r.v[2 * pair] >> 8) + 1.0F) * 5.9604644775390625e-08F;
    const float angle = static_cast<float>(r.v[2 * pair + 1] >> 8) * 3.7450702829239296e-07F;
    const float radius = std::sqrt(-2.0F * std::log(u));
    out[2 * pair] = radius * std::cos(angle);
    out[2 * pair + 1] = radius * std::sin(angle);
  }
}

/// Normals first .. first + count - 1 of a stream, where normal e is number e % 4 of block e / 4.
void fill_normal(const RandomKey& key, std::uint64_t first, std::int64_t count, float* out);

}  // namespace wan
