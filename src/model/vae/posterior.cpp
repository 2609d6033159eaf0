#include "model/vae/posterior.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace wan {
namespace {

/// Calls write(channel, place in the moments of its mean, place in the clip) for every latent element.
template <class Write>
void for_each_latent(const VaeConfig& config, const Moments& m, std::int64_t first, const LatentClip& out,
                     const Write& write) {
  const std::int64_t pixels = m.rows * m.columns;
  for (std::int64_t channel = 0; channel < config.z_dim; ++channel) {
    for (std::int64_t pixel = 0; pixel < m.frames * pixels; ++pixel) {
      write(static_cast<std::size_t>(channel), pixel * 2 * config.z_dim + channel,
            (channel * out.frames + first) * pixels + pixel);
    }
  }
}

float normalise(const VaeConfig& config, std::size_t channel, float value) {
  return (value - config.latents_mean[channel]) * (1.0F / config.latents_std[channel]);
}

}  // namespace

void write_mean(const VaeConfig& config, const Moments& moments, std::int64_t first, const LatentClip& out) {
  for_each_latent(config, moments, first, out, [&](std::size_t, std::int64_t from, std::int64_t to) {
    out.values[to] = moments.values[from];
  });
}

void write_log_variance(const VaeConfig& config, const Moments& moments, std::int64_t first,
                        const LatentClip& out) {
  for_each_latent(config, moments, first, out, [&](std::size_t, std::int64_t from, std::int64_t to) {
    out.values[to] = moments.values[from + config.z_dim];
  });
}

void write_normalised_mean(const VaeConfig& config, const Moments& moments, std::int64_t first,
                           const LatentClip& out) {
  for_each_latent(config, moments, first, out, [&](std::size_t channel, std::int64_t from, std::int64_t to) {
    out.values[to] = normalise(config, channel, moments.values[from]);
  });
}

void write_normalised_sample(const VaeConfig& config, const Moments& moments, std::int64_t first,
                             const RandomKey& key, const LatentClip& out) {
  const std::int64_t run = moments.frames * moments.rows * moments.columns;
  const std::int64_t clip = out.frames * moments.rows * moments.columns;
  for (std::int64_t channel = 0; channel < config.z_dim; ++channel) {
    const std::int64_t begin = channel * clip + first * moments.rows * moments.columns;
    fill_normal(key, static_cast<std::uint64_t>(begin), run, out.values + begin);
  }
  for_each_latent(config, moments, first, out, [&](std::size_t channel, std::int64_t from, std::int64_t to) {
    const float log_variance = std::clamp(moments.values[from + config.z_dim], -30.0F, 20.0F);
    const float value = moments.values[from] + std::exp(0.5F * log_variance) * out.values[to];
    out.values[to] = normalise(config, channel, value);
  });
}

}  // namespace wan
