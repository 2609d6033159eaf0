#include "sample/picture_decoder.hpp"

#include <gtest/gtest.h>

#include "model/vae/vae_clips.hpp"
#include "support/tensors.hpp"
#include "weights/random_weights.hpp"

namespace wan {
namespace {

constexpr FrameSize size{32, 48};

class PictureDecoderTest : public ::testing::Test {
 protected:
  PictureDecoderTest() {
    config_.base_dim = 4;
    config_.num_res_blocks = 1;
    config_.latents_mean.assign(16, 0.1F);
    config_.latents_std.assign(16, 1.3F);
    vae_.emplace(test::test_device(), config_, random_weights(4), DType::f32, VaeParts::decoder);
  }

  [[nodiscard]] static std::vector<float> latent(std::uint64_t seed, std::int64_t frames) {
    return test::normals(seed, 16 * frames * 4 * 6);
  }
  /// By a VaeDecoder alone, each chunk read at once.
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> alone(std::vector<float> values, std::int64_t frames,
                                                             ToBytes mode) const {
    VaeDecoder decoder(*vae_, {size.height, size.width, 0});
    std::vector<std::vector<std::uint8_t>> out;
    decode_clip(decoder, Tensor(values.data(), DType::f32, {16, frames * 4 * 6}),
                [&](const Tensor& chunk, std::int64_t) {
                  const std::vector<float> video = test::values_of(test::test_device(), chunk);
                  for (std::int64_t t = 0; t < chunk.shape[0]; ++t) {
                    out.push_back(image_from_floats(video.data() + t * size.height * size.width * 3,
                                                    size.width, size.height, mode)
                                      .rgb);
                  }
                });
    return out;
  }
  [[nodiscard]] static std::vector<std::vector<std::uint8_t>> decoded(PictureDecoder& decoder,
                                                                      const std::vector<float>& values,
                                                                      std::int64_t frames, ToBytes mode) {
    std::vector<std::vector<std::uint8_t>> out;
    decoder.decode(values, frames, mode, [&](const std::vector<Image>& pictures) {
      for (const Image& picture : pictures) out.push_back(picture.rgb);
    });
    return out;
  }

  VaeConfig config_;
  std::optional<Vae> vae_;
};

TEST_F(PictureDecoderTest, OverlappedChunksAreThePicturesOfChunksAlone) {
  PictureDecoder decoder(*vae_, size, {});
  for (const std::int64_t frames : {1, 2, 5}) {
    const ToBytes mode = frames == 1 ? ToBytes::round : ToBytes::truncate;
    const std::vector<float> values = latent(static_cast<std::uint64_t>(frames), frames);
    const auto pictures = decoded(decoder, values, frames, mode);
    ASSERT_EQ(pictures.size(), static_cast<std::size_t>(1 + 4 * (frames - 1)));
    EXPECT_EQ(pictures, alone(values, frames, mode));
  }
}

TEST_F(PictureDecoderTest, TilesAreJoinedToTheSameNumberOfPictures) {
  VaeTiling tiling;
  tiling.enabled = true;
  PictureDecoder uncut(*vae_, size, tiling);
  EXPECT_EQ(decoded(uncut, latent(1, 2), 2, ToBytes::truncate), alone(latent(1, 2), 2, ToBytes::truncate));
  tiling.tile_sample_min_height = tiling.tile_sample_min_width = 32;
  tiling.tile_sample_stride_height = tiling.tile_sample_stride_width = 16;
  PictureDecoder cut(*vae_, size, tiling);
  const auto pictures = decoded(cut, latent(1, 2), 2, ToBytes::truncate);
  std::vector<float> video(5 * 32 * 48 * 3);
  TiledDecoder(*vae_, tiling).decode(latent(1, 2).data(), 2, size.height, size.width, video.data());
  ASSERT_EQ(pictures.size(), 5U);
  for (std::size_t t = 0; t < 5; ++t) {
    EXPECT_EQ(pictures[t], image_from_floats(video.data() + t * 32 * 48 * 3, 48, 32, ToBytes::truncate).rgb);
  }
  EXPECT_NE(pictures, alone(latent(1, 2), 2, ToBytes::truncate));
}

}  // namespace
}  // namespace wan
