#include <gtest/gtest.h>

#include "base/error.hpp"
#include "model/vae/vae_config.hpp"

namespace wan {
namespace {

VaeConfig parse(const std::string& text) {
  return VaeConfig::from_json(Json::parse(text, "x.json"), "x.json");
}

TEST(vae_config, what_is_absent_is_the_released_model) {
  const VaeConfig config = parse("{}");
  EXPECT_EQ(config.width(0), 96);
  EXPECT_EQ(config.width(3), 384);
  EXPECT_EQ(config.spatial_factor(), 8);
  EXPECT_EQ(config.temporal_factor(), 4);
  EXPECT_EQ(config.latents_mean[7], 1.5508F);
  EXPECT_EQ(config.latents_std[8], 3.2687F);
  const VaeConfig other = parse(R"({"z_dim": 2, "latents_mean": [0, 1], "latents_std": [1, 2]})");
  EXPECT_EQ(other.latents_std, (std::vector<float>{1, 2}));
}

TEST(vae_config, frames_and_latent_frames_correspond) {
  const VaeConfig config = parse("{}");
  EXPECT_EQ(config.latent_frames(0), 0);
  EXPECT_EQ(config.latent_frames(1), 1);
  EXPECT_EQ(config.latent_frames(4), 1);
  EXPECT_EQ(config.latent_frames(5), 2);
  EXPECT_EQ(config.latent_frames(81), 21);
  for (std::int64_t latent = 0; latent < 40; ++latent)
    EXPECT_EQ(config.latent_frames(config.video_frames(latent)), latent);
}

TEST(vae_config, other_autoencoders_are_refused_by_key) {
  for (const char* text :
       {R"({"is_residual": true})", R"({"patch_size": 2})", R"({"attn_scales": [1.0]})",
        R"({"decoder_base_dim": 256})", R"({"in_channels": 12})", R"({"base_dim": 1})",
        R"({"base_dim": 99999999999})", R"({"dim_mult": [1, 2]})",
        R"({"dim_mult": [1, 1, 1, 1, 1, 1, 1], "temperal_downsample": [true, true, true, true, true, true]})",
        R"({"latents_std": [0]})", R"({"z_dim": 1, "latents_std": [-1]})",
        R"({"z_dim": 1, "latents_mean": [1e40]})", R"([])", R"({"z_dim": 5})",
        R"({"z_dim": 2, "latents_mean": [0, 1]})", R"({"num_res_blocks": "2"})"}) {
    try {
      (void)parse(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("x.json"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace wan
