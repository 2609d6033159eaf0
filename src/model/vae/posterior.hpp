#pragma once
#include <cstdint>

#include "base/philox.hpp"
#include "model/vae/vae_config.hpp"

namespace wan {

/// Some of a clip's moments on the host, as VaeEncoder returns them: [frames, rows, columns, 2 z].
struct Moments {
  const float* values = nullptr;
  std::int64_t frames = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// A clip's latents on the host: [z, frames, rows, columns].
struct LatentClip {
  float* values = nullptr;
  std::int64_t frames = 0;
};

/// Each writes latent frames [first, first + moments.frames) of the clip. Nothing else of it is touched.

/// The posterior's mean and log variance as they are.
void write_mean(const VaeConfig& config, const Moments& moments, std::int64_t first, const LatentClip& out);
void write_log_variance(const VaeConfig& config, const Moments& moments, std::int64_t first,
                        const LatentClip& out);

/// (mean - latents_mean) / latents_std.
void write_normalised_mean(const VaeConfig& config, const Moments& moments, std::int64_t first,
                           const LatentClip& out);

/// (mean + exp(clamp(logvar, -30, 20) / 2) n - latents_mean) / latents_std, n being normals of `key`'s
/// stream, numbered by their place in the clip's [z, frames, rows, columns] (diffusers
/// DiagonalGaussianDistribution).
void write_normalised_sample(const VaeConfig& config, const Moments& moments, std::int64_t first,
                             const RandomKey& key, const LatentClip& out);

}  // namespace wan
