#include "model/vae/posterior.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "support/tensors.hpp"

namespace wan::test {
namespace {

constexpr std::int64_t frames = 7, rows = 3, columns = 5;

VaeConfig some_config() {
  VaeConfig config;
  config.z_dim = 4;
  config.latents_mean = {0.5F, -1.0F, 0.0F, 2.0F};
  config.latents_std = {1.0F, 2.0F, 0.5F, 3.0F};
  return config;
}

/// Moments of a clip whose log variances reach far beyond both clamps.
std::vector<float> some_moments() {
  std::vector<float> out = normals(1, frames * rows * columns * 8);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 >= 4) out[i] *= 30;
  }
  return out;
}

using Writer = std::function<void(const Moments&, std::int64_t first, const LatentClip&)>;

/// All latents, written in pieces that end at the given frames.
std::vector<float> written(const Writer& write, const std::vector<std::int64_t>& ends) {
  const std::vector<float> moments = some_moments();
  std::vector<float> out(static_cast<std::size_t>(4 * frames * rows * columns), -99.0F);
  std::int64_t first = 0;
  for (const std::int64_t end : ends) {
    write({moments.data() + first * rows * columns * 8, end - first, rows, columns}, first,
          {out.data(), frames});
    first = end;
  }
  return out;
}

float mean_at(std::int64_t channel, std::int64_t pixel, bool log_variance) {
  return some_moments()[static_cast<std::size_t>(pixel * 8 + channel + (log_variance ? 4 : 0))];
}

TEST(posterior, writes_each_channel_to_its_plane) {
  const VaeConfig config = some_config();
  const auto with = [&](auto write) {
    return written(
        [&](const Moments& m, std::int64_t first, const LatentClip& clip) { write(config, m, first, clip); },
        {frames});
  };
  const std::vector<float> mean = with(write_mean);
  const std::vector<float> log_variance = with(write_log_variance);
  const std::vector<float> normalised = with(write_normalised_mean);
  for (std::int64_t channel = 0; channel < 4; ++channel) {
    const auto c = static_cast<std::size_t>(channel);
    for (std::int64_t pixel = 0; pixel < frames * rows * columns; ++pixel) {
      const auto at = static_cast<std::size_t>(channel * frames * rows * columns + pixel);
      EXPECT_EQ(mean[at], mean_at(channel, pixel, false));
      EXPECT_EQ(log_variance[at], mean_at(channel, pixel, true));
      EXPECT_FLOAT_EQ(normalised[at], (mean[at] - config.latents_mean[c]) / config.latents_std[c]);
    }
  }
}

TEST(posterior, samples_do_not_depend_on_chunks) {
  const VaeConfig config = some_config();
  const auto sampled = [&](std::uint64_t id, const std::vector<std::int64_t>& ends) {
    const RandomKey key = random_key(5, id, 0, Purpose::posterior);
    return written([&](const Moments& m, std::int64_t first,
                       const LatentClip& clip) { write_normalised_sample(config, m, first, key, clip); },
                   ends);
  };
  const std::vector<float> whole = sampled(1, {frames});
  EXPECT_EQ(whole, sampled(1, {1, 3, frames}));
  EXPECT_EQ(whole, sampled(1, {4, 5, 6, frames}));
  EXPECT_NE(whole, sampled(2, {frames}));
}

TEST(posterior, samples_are_mean_plus_clamped_deviation_times_the_clips_normals) {
  const VaeConfig config = some_config();
  const RandomKey key = random_key(5, 1, 0, Purpose::posterior);
  const std::vector<float> found =
      written([&](const Moments& m, std::int64_t first,
                  const LatentClip& clip) { write_normalised_sample(config, m, first, key, clip); },
              {frames});
  std::vector<float> noise(found.size());
  fill_normal(key, 0, static_cast<std::int64_t>(noise.size()), noise.data());
  int clamped = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t c = i / (frames * rows * columns);
    const auto pixel = static_cast<std::int64_t>(i % (frames * rows * columns));
    const double log_variance = static_cast<double>(mean_at(static_cast<std::int64_t>(c), pixel, true));
    clamped += log_variance < -30 || log_variance > 20 ? 1 : 0;
    const double deviation = std::exp(0.5 * std::clamp(log_variance, -30.0, 20.0));
    const double value = static_cast<double>(mean_at(static_cast<std::int64_t>(c), pixel, false)) +
                         deviation * static_cast<double>(noise[i]);
    const double expected =
        (value - static_cast<double>(config.latents_mean[c])) / static_cast<double>(config.latents_std[c]);
    EXPECT_NEAR(found[i], expected, 1e-5 * (1 + std::abs(expected)));
  }
  EXPECT_GT(clamped, 10);
}

}  // namespace
}  // namespace wan::test
