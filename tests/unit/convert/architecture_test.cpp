#include <gtest/gtest.h>

#include "base/error.hpp"
#include "convert/model_json.hpp"
#include "convert/official_parts.hpp"
#include "weights/dit_weight_names.hpp"
#include "weights/umt5_weight_names.hpp"
#include "weights/vae_weight_names.hpp"

// Official files tell an architecture by the shapes of its weights alone.
namespace wan {
namespace {

StreamedComponent official(const std::vector<WeightName>& names) {
  StreamedComponent out{"file.pth", {}};
  for (const WeightName& each : names) out.tensors.push_back({each.official, DType::f32, each.shape, {}});
  return out;
}

TEST(official_architecture, of_every_autoencoder_is_found_again) {
  VaeConfig usual;
  VaeConfig narrow;
  narrow.base_dim = 16;
  narrow.num_res_blocks = 1;
  narrow.temporal_downsample = {true, false, true};
  VaeConfig flat;
  flat.dim_mult = {1, 3};
  flat.temporal_downsample = {false};
  flat.num_res_blocks = 3;
  for (const VaeConfig& config : {usual, narrow, flat}) {
    const VaeConfig found = vae_config_of(official(vae_weight_names(config)));
    EXPECT_EQ(found.base_dim, config.base_dim);
    EXPECT_EQ(found.dim_mult, config.dim_mult);
    EXPECT_EQ(found.num_res_blocks, config.num_res_blocks);
    EXPECT_EQ(found.temporal_downsample, config.temporal_downsample);
    EXPECT_EQ(found.z_dim, 16);
    const VaeConfig again = VaeConfig::from_json(Json::parse(diffusers_json(found).dump(), "json"), "json");
    EXPECT_EQ(again.dim_mult, config.dim_mult);
    EXPECT_EQ(again.latents_mean, found.latents_mean);
    EXPECT_EQ(again.latents_std, found.latents_std);
  }
}

TEST(official_architecture, of_an_autoencoder_that_none_of_ours_is_is_refused) {
  VaeConfig wide;
  wide.z_dim = 48;
  wide.latents_mean.assign(48, 0.0F);
  EXPECT_THROW((void)vae_config_of(official(vae_weight_names(wide))), DataError)
      << "its statistics are unknown";
  EXPECT_THROW((void)vae_config_of({"file.pth", {}}), DataError);
  StreamedComponent uneven = official(vae_weight_names(VaeConfig()));
  for (StreamedTensor& tensor : uneven.tensors) {
    if (tensor.name == "encoder.downsamples.4.residual.2.weight")
      tensor.name = "encoder.downsamples.4.resample.1.weight";
  }
  EXPECT_THROW((void)vae_config_of(uneven), DataError);
}

TEST(official_architecture, of_every_text_encoder_is_found_again) {
  Umt5Config usual;
  Umt5Config small;
  small.vocab_size = 512;
  small.d_model = 64;
  small.d_kv = 24;
  small.d_ff = 96;
  small.num_heads = 3;
  small.num_layers = 2;
  small.relative_attention_num_buckets = 16;
  for (const Umt5Config& config : {usual, small}) {
    const Umt5Config found = umt5_config_of(official(umt5_weight_names(config)));
    const Umt5Config again = Umt5Config::from_json(transformers_json(found, DType::bf16), "json");
    for (const Umt5Config& each : {found, again}) {
      EXPECT_EQ(each.vocab_size, config.vocab_size);
      EXPECT_EQ(each.d_model, config.d_model);
      EXPECT_EQ(each.d_kv, config.d_kv);
      EXPECT_EQ(each.d_ff, config.d_ff);
      EXPECT_EQ(each.num_heads, config.num_heads);
      EXPECT_EQ(each.num_layers, config.num_layers);
      EXPECT_EQ(each.relative_attention_num_buckets, config.relative_attention_num_buckets);
    }
  }
  EXPECT_THROW((void)umt5_config_of({"file.pth", {}}), DataError);
}

TEST(official_architecture, of_a_transformer_goes_both_ways) {
  DitConfig config;
  config.num_attention_heads = 3;
  config.attention_head_dim = 32;
  config.num_layers = 2;
  config.ffn_dim = 160;
  config.in_channels = 4;
  config.out_channels = 8;
  config.text_dim = 24;
  config.eps = 1e-5;
  const StreamedComponent weights = official(dit_weight_names(config));
  const DitConfig found = official_dit_config(official_json(config), "config.json", weights);
  const DitConfig again = DitConfig::from_json(diffusers_json(found), "config.json");
  EXPECT_EQ(diffusers_json(again).dump(), diffusers_json(config).dump());
  for (const auto& [key, value] : {std::pair<const char*, Json>{"model_type", "i2v"},
                                   {"num_heads", 5},
                                   {"_class_name", "VaceWanModel"},
                                   {"text_len", 77},
                                   {"num_heads", 0}}) {
    Json wrong = official_json(config);
    wrong.set(key, value);
    EXPECT_THROW((void)official_dit_config(wrong, "config.json", weights), DataError) << key;
  }
}

}  // namespace
}  // namespace wan
