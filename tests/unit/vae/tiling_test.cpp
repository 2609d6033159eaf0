#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "model/vae/tile_blender.hpp"
#include "model/vae/tiled_vae.hpp"
#include "model/vae/vae_clips.hpp"
#include "support/tensors.hpp"
#include "unit/vae/vae_models.hpp"

namespace wan::test {
namespace {

VaeConfig small_config() {
  VaeConfig config;
  config.base_dim = 4;
  config.num_res_blocks = 1;
  config.latents_mean.assign(16, 0.1F);
  config.latents_std.assign(16, 1.3F);
  return config;
}

VaeTiling tiles(std::int64_t height, std::int64_t stride_height, std::int64_t width,
                std::int64_t stride_width) {
  VaeTiling tiling;
  tiling.enabled = true;
  tiling.tile_sample_min_height = height;
  tiling.tile_sample_stride_height = stride_height;
  tiling.tile_sample_min_width = width;
  tiling.tile_sample_stride_width = stride_width;
  return tiling;
}

/// [T, H, W, C] on the host, as diffusers' slices of it.
struct Clip {
  Clip(std::int64_t t, std::int64_t h, std::int64_t w, std::int64_t c)
      : frames(t), rows(h), columns(w), channels(c), values(static_cast<std::size_t>(t * h * w * c)) {}
  float& at(std::int64_t t, std::int64_t y, std::int64_t x, std::int64_t c) {
    return values[static_cast<std::size_t>(((t * rows + y) * columns + x) * channels + c)];
  }
  template <class Visit>
  void each(const Visit& visit) {
    for (std::int64_t t = 0; t < frames; ++t) {
      for (std::int64_t y = 0; y < rows; ++y) {
        for (std::int64_t x = 0; x < columns; ++x) {
          for (std::int64_t c = 0; c < channels; ++c) visit(t, y, x, c);
        }
      }
    }
  }
  std::int64_t frames, rows, columns, channels;
  std::vector<float> values;
};

/// diffusers autoencoder_kl_wan.py tiled_decode from the list of tiles on, element by element as it is
/// written there.
Clip joined_as_diffusers_does(std::vector<std::vector<Clip>> tile, std::int64_t height, std::int64_t width,
                              std::int64_t stride_height, std::int64_t stride_width,
                              std::int64_t blend_height, std::int64_t blend_width) {
  Clip out(tile[0][0].frames, height, width, tile[0][0].channels);
  for (std::size_t i = 0; i < tile.size(); ++i) {
    for (std::size_t j = 0; j < tile[i].size(); ++j) {
      Clip& b = tile[i][j];
      if (i > 0) {
        Clip& a = tile[i - 1][j];
        const std::int64_t extent = std::min({a.rows, b.rows, blend_height});
        b.each([&](std::int64_t t, std::int64_t y, std::int64_t x, std::int64_t c) {
          if (y >= extent) return;
          const float share = static_cast<float>(y) / static_cast<float>(extent);
          b.at(t, y, x, c) = a.at(t, a.rows - extent + y, x, c) * (1 - share) + b.at(t, y, x, c) * share;
        });
      }
      if (j > 0) {
        Clip& a = tile[i][j - 1];
        const std::int64_t extent = std::min({a.columns, b.columns, blend_width});
        b.each([&](std::int64_t t, std::int64_t y, std::int64_t x, std::int64_t c) {
          if (x >= extent) return;
          const float share = static_cast<float>(x) / static_cast<float>(extent);
          b.at(t, y, x, c) = a.at(t, y, a.columns - extent + x, c) * (1 - share) + b.at(t, y, x, c) * share;
        });
      }
      b.each([&](std::int64_t t, std::int64_t y, std::int64_t x, std::int64_t c) {
        if (y >= stride_height || x >= stride_width) return;
        out.at(t, static_cast<std::int64_t>(i) * stride_height + y,
               static_cast<std::int64_t>(j) * stride_width + x, c) = b.at(t, y, x, c);
      });
    }
  }
  return out;
}

TEST(TileBlender, JoinsRandomTilesAsDiffusersDoes) {
  struct Case {
    std::int64_t height, tile_height, stride_height, width, tile_width, stride_width;
  };
  for (const Case& c : {Case{20, 8, 6, 22, 8, 5}, Case{7, 8, 6, 30, 10, 10}, Case{13, 8, 4, 9, 8, 4},
                        Case{8, 8, 8, 16, 8, 8}, Case{25, 8, 6, 19, 8, 6}}) {
    const std::int64_t frames = 2;
    const std::int64_t channels = 3;
    Clip whole(frames, c.height, c.width, channels);
    TileBlender blender(whole.values.data(), frames, {c.height, c.tile_height, c.stride_height},
                        {c.width, c.tile_width, c.stride_width}, channels);
    std::vector<std::vector<Clip>> expected;
    std::uint64_t seed = 0;
    for (const TileSpan& down : blender.rows()) {
      expected.emplace_back();
      for (const TileSpan& across : blender.columns()) {
        Clip& tile = expected.back().emplace_back(frames, down.extent, across.extent, channels);
        tile.values = normals(++seed, static_cast<std::int64_t>(tile.values.size()));
        blender.add(tile.values);
      }
    }
    EXPECT_EQ(whole.values,
              joined_as_diffusers_does(expected, c.height, c.width, c.stride_height, c.stride_width,
                                       c.tile_height - c.stride_height, c.tile_width - c.stride_width)
                  .values);
  }
}

class Tiling : public ::testing::Test {
 protected:
  static constexpr std::int64_t frames = 9;
  static constexpr std::int64_t latent_frames = 3;
  static constexpr std::int64_t height = 64;
  static constexpr std::int64_t width = 80;

  Tiling()
      : config_(small_config()),
        weights_(random_weights(config_, 3)),
        vae_(test_device(), config_, source_of(weights_), DType::f32) {}

  /// Whole frames, not clamped unless asked for.
  [[nodiscard]] static Clip decoded(const Vae& vae, const std::vector<float>& latents, std::int64_t rows,
                                    std::int64_t columns, VaeDecoder::Range range) {
    VaeDecoder decoder(vae, {8 * rows, 8 * columns, 0});
    std::vector<float> copy = latents;
    const Tensor whole(copy.data(), DType::f32, {vae.config().z_dim, latent_frames * rows * columns});
    Clip out(frames, 8 * rows, 8 * columns, 3);
    out.values.clear();
    for (std::int64_t at = 0; at < latent_frames; at += decoder.geometry().chunk) {
      const std::int64_t end = std::min(latent_frames, at + decoder.geometry().chunk);
      const Tensor video = decoder.push(whole.col_range(at * rows * columns, end * rows * columns), range);
      const std::vector<float> values = values_of(test_device(), video);
      out.values.insert(out.values.end(), values.begin(), values.end());
    }
    return out;
  }
  [[nodiscard]] static std::vector<float> tiled(const Vae& vae, const VaeTiling& tiling,
                                                const std::vector<float>& latents) {
    std::vector<float> video(static_cast<std::size_t>(frames * height * width * 3));
    TiledDecoder(vae, tiling).decode(latents.data(), latent_frames, height, width, video.data());
    return video;
  }
  [[nodiscard]] static std::vector<float> some_latents() {
    return normals(5, 16 * latent_frames * (height / 8) * (width / 8));
  }

  VaeConfig config_;
  VaeWeights weights_;
  Vae vae_;
};

TEST_F(Tiling, OneTileIsTheWholeBitForBit) {
  EXPECT_EQ(tiled(vae_, tiles(64, 64, 96, 88), some_latents()),
            decoded(vae_, some_latents(), 8, 10, VaeDecoder::Range::clamped).values);
  std::vector<std::uint8_t> video(frames * height * width * 3);
  for (std::size_t i = 0; i < video.size(); ++i) video[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
  const Tensor clip(video.data(), DType::u8, {frames, height, width, 3});
  std::vector<float> moments(static_cast<std::size_t>(latent_frames * 8 * 10 * 32));
  TiledEncoder(vae_, tiles(64, 64, 80, 80)).encode(clip, moments.data());
  VaeEncoder encoder(vae_, {height, width, 0});
  std::vector<float> whole;
  encode_clip(encoder, clip, [&](const Tensor& part, std::int64_t) {
    const std::vector<float> values = values_of(test_device(), part);
    whole.insert(whole.end(), values.begin(), values.end());
  });
  EXPECT_EQ(moments, whole);
}

TEST_F(Tiling, DecodedTilesAreCutJoinedAndClampedAsDiffusersDoes) {
  const std::vector<float> latents = some_latents();
  std::vector<std::vector<Clip>> parts;
  for (std::int64_t top = 0; top < 8; top += 3) {
    parts.emplace_back();
    for (std::int64_t left = 0; left < 10; left += 4) {
      const std::int64_t rows = std::min<std::int64_t>(4, 8 - top);
      const std::int64_t columns = std::min<std::int64_t>(6, 10 - left);
      std::vector<float> part;
      for (std::int64_t plane = 0; plane < 16 * latent_frames; ++plane) {
        for (std::int64_t y = top; y < top + rows; ++y) {
          for (std::int64_t x = left; x < left + columns; ++x) {
            part.push_back(latents[static_cast<std::size_t>((plane * 8 + y) * 10 + x)]);
          }
        }
      }
      parts.back().push_back(decoded(vae_, part, rows, columns, VaeDecoder::Range::open));
    }
  }
  Clip expected = joined_as_diffusers_does(parts, height, width, 24, 32, 8, 16);
  for (float& value : expected.values) value = std::clamp(value, -1.0F, 1.0F);
  EXPECT_EQ(tiled(vae_, tiles(32, 24, 48, 32), latents), expected.values);
}

TEST_F(Tiling, EncodedTilesAreThoseOfTheTilesAloneWhereNothingOverlaps) {
  std::vector<std::uint8_t> video(frames * height * width * 3);
  for (std::size_t i = 0; i < video.size(); ++i) video[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
  const Tensor clip(video.data(), DType::u8, {frames, height, width, 3});
  std::vector<float> moments(static_cast<std::size_t>(latent_frames * 8 * 10 * 32));
  TiledEncoder(vae_, tiles(32, 32, 48, 48)).encode(clip, moments.data());
  std::vector<std::uint8_t> corner;  // rows from 32, columns from 48
  for (std::int64_t t = 0; t < frames; ++t) {
    for (std::int64_t y = 32; y < height; ++y) {
      const auto row = video.begin() + ((t * height + y) * width + 48) * 3;
      corner.insert(corner.end(), row, row + 32 * 3);
    }
  }
  VaeEncoder encoder(vae_, {32, 32, latent_frames});
  const std::vector<float> alone =
      values_of(test_device(), encoder.push(Tensor(corner.data(), DType::u8, {frames, 32, 32, 3})));
  std::vector<float> found;
  for (std::int64_t t = 0; t < latent_frames; ++t) {
    for (std::int64_t y = 4; y < 8; ++y) {
      const auto row = moments.begin() + ((t * 8 + y) * 10 + 6) * 32;
      found.insert(found.end(), row, row + 4 * 32);
    }
  }
  // Chunks of another length: sums may have another order.
  EXPECT_LE(relative_l2(found, alone), 1e-5);
}

}  // namespace
}  // namespace wan::test
