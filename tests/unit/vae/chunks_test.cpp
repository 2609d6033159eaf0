#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "model/vae/vae_clips.hpp"
#include "support/tensors.hpp"
#include "unit/vae/slow_vae.hpp"

namespace wan::test {
namespace {

/// Relative L2 distance from the slow model, which computes in fp64. fp32: some thirty layers of rounding,
/// each 1e-7, some of which grow. bf16: the same with 8 bits; diffusers in bf16 is 1e-2 to 2e-2 from the
/// truth on such models.
double tolerance(DType storage) {
  return storage == DType::f32 ? 1e-5 : 6e-2;
}

/// A random architecture, its weights and a clip.
struct Example {
  explicit Example(std::uint64_t seed) : seed_(seed) {
    config.base_dim = pick(2, 9);
    config.z_dim = pick(1, 6);
    config.num_res_blocks = pick(1, 2);
    const std::int64_t levels = pick(1, 4);
    config.dim_mult.clear();
    config.temporal_downsample.clear();
    for (std::int64_t level = 0; level < levels; ++level) config.dim_mult.push_back(pick(1, 3));
    for (std::int64_t level = 1; level < levels; ++level)
      config.temporal_downsample.push_back(pick(0, 1) == 1);
    config.latents_mean = normals(seed + 1, config.z_dim);
    for (const float value : normals(seed + 2, config.z_dim, 0.2F, 1.5F)) {
      config.latents_std.push_back(std::max(value, 0.5F));
    }
    weights = random_weights(config, seed + 3);
    rows = config.spatial_factor() * pick(1, 3);
    columns = config.spatial_factor() * pick(1, 3);
    latent_frames = pick(1, 4);
  }

  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(mix64(seed_ * 1000 + ++picked_) %
                                           static_cast<std::uint64_t>(high - low + 1));
  }

  [[nodiscard]] Clip clip(std::int64_t channels, std::int64_t frames, std::int64_t factor) const {
    Clip out(channels, frames, rows / factor, columns / factor);
    const std::vector<float> values = normals(seed_ + 4, static_cast<std::int64_t>(out.value.size()), 0.6F);
    std::copy(values.begin(), values.end(), out.value.begin());
    return out;
  }

  [[nodiscard]] std::string text() const {
    return cat("seed ", seed_, ": width ", config.base_dim, ", ", config.levels(), " levels, ", latent_frames,
               " latent frames of ", rows, " x ", columns);
  }

  VaeConfig config;
  VaeWeights weights;
  std::int64_t rows, columns, latent_frames;

 private:
  std::uint64_t seed_;
  std::uint64_t picked_ = 0;
};

std::vector<float> planes(const Clip& clip) {
  return {clip.value.begin(), clip.value.end()};
}

/// Planes of what chunk after chunk gave.
std::vector<float> as_planes(const std::vector<float>& pixels, std::int64_t channels) {
  return transposed(pixels, static_cast<std::int64_t>(pixels.size()) / channels, channels);
}

std::vector<float> encode_in_chunks(const Vae& vae, const Clip& video, std::int64_t chunk) {
  VaeEncoder encoder(vae, {video.rows, video.columns, chunk});
  std::vector<float> pixels = transposed(planes(video), 3, video.frames * video.rows * video.columns);
  const Tensor clip(pixels.data(), DType::f32, {video.frames, video.rows, video.columns, 3});
  std::vector<float> out;
  // A second clip after a first one must not see its history.
  for (int run = 0; run < 2; ++run) {
    out.clear();
    encode_clip(encoder, clip, [&](const Tensor& moments, std::int64_t first) {
      EXPECT_EQ(first * moments.rows() / moments.shape[0] * moments.cols(),
                static_cast<std::int64_t>(out.size()));
      const std::vector<float> values = values_of(vae.device(), moments);
      out.insert(out.end(), values.begin(), values.end());
    });
  }
  return as_planes(out, 2 * vae.config().z_dim);
}

std::vector<float> decode_in_chunks(const Vae& vae, const Clip& latents, std::int64_t chunk) {
  const std::int64_t factor = vae.config().spatial_factor();
  VaeDecoder decoder(vae, {latents.rows * factor, latents.columns * factor, chunk});
  std::vector<float> values = planes(latents);
  std::vector<float> out;
  for (int run = 0; run < 2; ++run) {
    out.clear();
    decode_clip(decoder,
                Tensor(values.data(), DType::f32,
                       {latents.channels, latents.frames * latents.rows * latents.columns}),
                [&](const Tensor& video, std::int64_t first) {
                  EXPECT_EQ(first * video.shape[1] * video.shape[2] * 3,
                            static_cast<std::int64_t>(out.size()));
                  const std::vector<float> frames = values_of(vae.device(), video);
                  out.insert(out.end(), frames.begin(), frames.end());
                });
  }
  return as_planes(out, 3);
}

TEST(vae_chunks, compute_the_function_of_the_whole_clip) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Example example(seed);
    SCOPED_TRACE(example.text());
    const SlowVae slow(example.config, example.weights);
    const Clip video = example.clip(3, example.config.video_frames(example.latent_frames), 1);
    const Clip latents =
        example.clip(example.config.z_dim, example.latent_frames, example.config.spatial_factor());
    const std::vector<float> moments = planes(slow.encode(video));
    std::vector<float> decoded = planes(slow.decode(latents));
    for (float& value : decoded) value = std::clamp(value, -1.0F, 1.0F);
    for (const DType storage : {DType::f32, DType::bf16}) {
      const Vae vae(test_device(), example.config, source_of(example.weights), storage);
      for (const std::int64_t chunk : {1, 2, 4}) {
        SCOPED_TRACE(cat(name_of(storage), ", chunks of ", chunk));
        EXPECT_LT(relative_l2(encode_in_chunks(vae, video, chunk), moments), tolerance(storage));
        EXPECT_LT(relative_l2(decode_in_chunks(vae, latents, chunk), decoded), tolerance(storage));
      }
    }
  }
}

/// Frames that fill no latent frame change nothing.
TEST(vae_chunks, leave_trailing_frames_out) {
  const Example example(4);
  const std::int64_t factor = example.config.temporal_factor();
  ASSERT_GT(factor, 1);
  const Vae vae(test_device(), example.config, source_of(example.weights), DType::f32, VaeParts::encoder);
  const Clip longer = example.clip(3, 2 * factor, 1);
  Clip fitting(3, 1 + factor, longer.rows, longer.columns);
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t t = 0; t < fitting.frames; ++t) {
      for (std::int64_t h = 0; h < longer.rows; ++h) {
        for (std::int64_t w = 0; w < longer.columns; ++w) fitting.at(c, t, h, w) = longer.at(c, t, h, w);
      }
    }
  }
  EXPECT_EQ(encode_in_chunks(vae, longer, 1), encode_in_chunks(vae, fitting, 1));
}

TEST(vae_streams, bytes_are_read_as_colours) {
  const Example example(2);
  const Vae vae(test_device(), example.config, source_of(example.weights), DType::f32, VaeParts::encoder);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(example.rows * example.columns * 3));
  std::vector<float> colours(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(mix64(i));
    colours[i] = static_cast<float>(bytes[i]) / 127.5F - 1;
  }
  const Shape shape{1, example.rows, example.columns, 3};
  VaeEncoder encoder(vae, {example.rows, example.columns, 1});
  const std::vector<float> expected =
      values_of(test_device(), encoder.push(Tensor(colours.data(), DType::f32, shape)));
  encoder.begin_clip();
  EXPECT_LT(
      relative_l2(values_of(test_device(), encoder.push(Tensor(bytes.data(), DType::u8, shape))), expected),
      2e-6);
}

TEST(vae_streams, refuse_what_does_not_fit) {
  const Example example(3);
  const Vae vae(test_device(), example.config, source_of(example.weights), DType::f32);
  const std::int64_t factor = example.config.spatial_factor();
  EXPECT_THROW(VaeEncoder(vae, {0, factor, 1}), ConfigError);
  EXPECT_THROW(VaeEncoder(vae, {factor, -factor, 1}), ConfigError);
  EXPECT_THROW(VaeEncoder(vae, {factor, factor, -1}), ConfigError);
  ASSERT_GT(factor, 1);
  EXPECT_THROW(VaeDecoder(vae, {factor + 1, factor, 1}), ConfigError);

  VaeEncoder encoder(vae, {factor, factor, 2});
  std::vector<float> video(static_cast<std::size_t>(64 * factor * factor * 3));
  const auto frames = [&](std::int64_t count, std::int64_t width) {
    return Tensor(video.data(), DType::f32, {count, factor, width, 3});
  };
  EXPECT_THROW((void)encoder.push(frames(0, factor)), InternalError);
  EXPECT_THROW((void)encoder.push(frames(1, 2 * factor)), InternalError);
  EXPECT_THROW((void)encoder.push(frames(encoder.frames_wanted() + example.config.temporal_factor(), factor)),
               InternalError);
  EXPECT_NO_THROW((void)encoder.push(frames(1, factor)));

  VaeDecoder decoder(vae, {factor, factor, 2});
  const auto latents = [&](std::int64_t channels, std::int64_t count) {
    return Tensor(video.data(), DType::f32, {channels, count});
  };
  EXPECT_THROW((void)decoder.push(latents(example.config.z_dim, 0)), InternalError);
  EXPECT_THROW((void)decoder.push(latents(example.config.z_dim, 3)), InternalError);
  EXPECT_THROW((void)decoder.push(latents(example.config.z_dim + 1, 1)), InternalError);
  EXPECT_NO_THROW((void)decoder.push(latents(example.config.z_dim, 2)));
}

TEST(vae_weights, a_missing_or_misshapen_tensor_is_named) {
  const Example example(5);
  for (const bool missing : {true, false}) {
    VaeWeights broken = example.weights;
    if (missing) {
      broken.erase("decoder.conv_in.bias");
    } else {
      broken["decoder.conv_in.bias"].pop_back();
    }
    try {
      const Vae vae(test_device(), example.config, source_of(broken), DType::f32);
      FAIL() << "accepted";
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("decoder.conv_in.bias"), std::string::npos) << error.what();
    }
    EXPECT_NO_THROW(Vae(test_device(), example.config, source_of(broken), DType::f32, VaeParts::encoder));
  }
}

}  // namespace
}  // namespace wan::test
