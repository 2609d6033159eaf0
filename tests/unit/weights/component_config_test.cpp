#include <gtest/gtest.h>

#include "base/error.hpp"
#include "model/dit/config.hpp"
#include "model/text/umt5_config.hpp"
#include "model/vae/vae_config.hpp"

namespace wan {
namespace {

const std::string demo = WAN_SOURCE_DIR "/inputs/demo/model/";

template <class Config>
Config read(const std::string& file) {
  return Config::from_json(Json::parse_file(demo + file), file);
}

/// `file` of the demo model with one member replaced.
template <class Config>
Config with(const std::string& file, const std::string& key, const std::string& value) {
  Json json = Json::parse_file(demo + file);
  json.set(key, Json::parse(value, "value"));
  return Config::from_json(json, file);
}

template <class Config>
void expect_refused(const std::string& file, const std::string& key, const std::string& value) {
  try {
    (void)with<Config>(file, key, value);
    FAIL() << key << " = " << value << " was accepted";
  } catch (const DataError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(file), std::string::npos) << message;
    EXPECT_NE(message.find(key), std::string::npos) << message;
    EXPECT_NE(message.find("allowed"), std::string::npos) << message;
  }
}

TEST(component_config, the_demo_model_is_read) {
  const auto dit = read<DitConfig>("transformer/config.json");
  EXPECT_EQ(dit.dim(), 128);
  EXPECT_EQ(dit.num_layers, 6);
  EXPECT_EQ(dit.text_dim, 64);
  const auto text = read<Umt5Config>("text_encoder/config.json");
  EXPECT_EQ(text.d_model, 64);
  EXPECT_EQ(text.inner_dim(), 64);
  EXPECT_EQ(text.vocab_size, 512);
  const auto vae = read<VaeConfig>("vae/config.json");
  EXPECT_EQ(vae.base_dim, 16);
  EXPECT_EQ(vae.num_res_blocks, 1);
  EXPECT_EQ(vae.latents_mean.front(), -0.5153F);
  EXPECT_EQ(vae.temporal_factor(), 4);
}

TEST(component_config, absent_statistics_of_the_latents_are_wans_own) {
  const std::string file = "vae/config.json";
  for (const char* absent : {"latents_mean", "latents_std"}) {
    const auto vae = with<VaeConfig>(file, absent, "null");
    EXPECT_EQ(vae.latents_mean.front(), absent == std::string("latents_mean") ? -0.7571F : -0.5153F);
    EXPECT_EQ(vae.latents_std.back(), absent == std::string("latents_std") ? 1.9160F : 0.8936F);
    Json other = Json::parse_file(demo + file);
    other.set("z_dim", 4).set("latents_mean", Json::Array(4, 0.0)).set("latents_std", Json::Array(4, 1.0));
    EXPECT_EQ(VaeConfig::from_json(other, file).latents_std.size(), 4U);
    EXPECT_THROW((void)VaeConfig::from_json(other.set(absent, nullptr), file), DataError) << absent;
  }
}

TEST(component_config, what_this_suite_cannot_run_is_refused_by_key) {
  const std::string dit = "transformer/config.json";
  expect_refused<DitConfig>(dit, "num_layers", "0");
  expect_refused<DitConfig>(dit, "num_layers", "\"6\"");
  expect_refused<DitConfig>(dit, "attention_head_dim", "33");
  expect_refused<DitConfig>(dit, "patch_size", "[1,2]");
  expect_refused<DitConfig>(dit, "patch_size", "[1,4,4]");
  expect_refused<DitConfig>(dit, "eps", "-1");
  expect_refused<DitConfig>(dit, "qk_norm", "\"rms_norm\"");
  expect_refused<DitConfig>(dit, "added_kv_proj_dim", "5120");
  expect_refused<DitConfig>(dit, "_class_name", "\"UNet\"");
  const std::string vae = "vae/config.json";
  expect_refused<VaeConfig>(vae, "base_dim", "-16");
  expect_refused<VaeConfig>(vae, "dim_mult", "[]");
  expect_refused<VaeConfig>(vae, "dim_mult", "[1,2,0,4]");
  expect_refused<VaeConfig>(vae, "temperal_downsample", "[true]");
  expect_refused<VaeConfig>(vae, "temperal_downsample", "[0,1,1]");
  expect_refused<VaeConfig>(vae, "latents_std", "[1]");
  expect_refused<VaeConfig>(vae, "latents_std", "[]");
  expect_refused<VaeConfig>(vae, "z_dim", "48");
  expect_refused<VaeConfig>(vae, "latents_mean", "[null]");
  expect_refused<VaeConfig>(vae, "is_residual", "true");
  expect_refused<VaeConfig>(vae, "patch_size", "2");
  expect_refused<VaeConfig>(vae, "attn_scales", "[0.5]");
  const std::string text = "text_encoder/config.json";
  expect_refused<Umt5Config>(text, "model_type", "\"t5\"");
  expect_refused<Umt5Config>(text, "feed_forward_proj", "\"relu\"");
  expect_refused<Umt5Config>(text, "d_ff", "99999999999");
  expect_refused<Umt5Config>(text, "relative_attention_num_buckets", "3");
  expect_refused<Umt5Config>(text, "layer_norm_epsilon", "0");
}

TEST(component_config, a_file_that_is_no_object_is_refused) {
  EXPECT_THROW((void)DitConfig::from_json(Json::Array(), "x"), DataError);
  EXPECT_THROW((void)Umt5Config::from_json(Json(), "x"), DataError);
  EXPECT_THROW((void)VaeConfig::from_json(3, "x"), DataError);
}

}  // namespace
}  // namespace wan
