#include "weights/weight_names.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "model/dit/weights.hpp"
#include "support/temporary_folder.hpp"
#include "weights/dit_weight_names.hpp"
#include "weights/umt5_weight_names.hpp"
#include "weights/vae_weight_names.hpp"

namespace wan {
namespace {

std::int64_t total(const std::vector<WeightName>& names) {
  return std::accumulate(names.begin(), names.end(), std::int64_t{0},
                         [](std::int64_t sum, const WeightName& one) { return sum + one.shape.elements(); });
}

void expect_distinct(const std::vector<WeightName>& names) {
  std::set<std::string> ours;
  std::set<std::string> official;
  for (const WeightName& one : names) {
    ours.insert(one.name);
    official.insert(one.official);
  }
  EXPECT_EQ(ours.size(), names.size());
  EXPECT_EQ(official.size(), names.size());
}

DitConfig wan_1_3b() {
  DitConfig config;
  config.num_attention_heads = 12;
  config.attention_head_dim = 128;
  config.num_layers = 30;
  config.ffn_dim = 8960;
  return config;
}

DitConfig wan_14b() {
  DitConfig config = wan_1_3b();
  config.num_attention_heads = 40;
  config.num_layers = 40;
  config.ffn_dim = 13824;
  return config;
}

DitConfig small() {
  DitConfig config;
  config.num_attention_heads = 1;
  config.attention_head_dim = 4;
  config.num_layers = 2;
  config.ffn_dim = 3;
  config.text_dim = 5;
  config.freq_dim = 6;
  return config;
}

// Counts and totals of the published checkpoints (Wan-AI/Wan2.1-T2V-1.3B and -14B, umt5-xxl's encoder).
TEST(weight_names, published_models_have_these_tensors_and_parameters) {
  const std::vector<WeightName> small_dit = dit_weight_names(wan_1_3b());
  EXPECT_EQ(small_dit.size(), 825U);
  EXPECT_EQ(total(small_dit), 1'418'996'800);
  expect_distinct(small_dit);
  const std::vector<WeightName> large_dit = dit_weight_names(wan_14b());
  EXPECT_EQ(large_dit.size(), 1095U);
  EXPECT_EQ(total(large_dit), 14'288'491'584);
  const std::vector<WeightName> umt5 = umt5_weight_names(Umt5Config());
  EXPECT_EQ(umt5.size(), 242U);
  EXPECT_EQ(total(umt5), 5'680'910'336);
  expect_distinct(umt5);
  const std::vector<WeightName> vae = vae_weight_names(VaeConfig());
  EXPECT_EQ(vae.size(), 194U);
  EXPECT_EQ(total(vae), 126'892'531);
  expect_distinct(vae);
}

TEST(weight_names, the_video_autoencoders_samplers_are_numbered_as_in_both_codes) {
  std::map<std::string, WeightName> by_official;
  for (const WeightName& one : vae_weight_names(VaeConfig())) by_official[one.official] = one;
  EXPECT_EQ(by_official.at("encoder.downsamples.5.time_conv.weight").name,
            "encoder.down_blocks.5.time_conv.weight");
  EXPECT_EQ(by_official.at("decoder.upsamples.7.time_conv.weight").name,
            "decoder.up_blocks.1.upsamplers.0.time_conv.weight");
  EXPECT_EQ(by_official.at("decoder.upsamples.7.time_conv.weight").shape, (Shape{768, 384, 3, 1, 1}));
  EXPECT_EQ(by_official.at("decoder.upsamples.11.resample.1.weight").shape, (Shape{96, 192, 3, 3}));
  EXPECT_EQ(by_official.count("decoder.upsamples.11.time_conv.weight"), 0U);
  EXPECT_EQ(by_official.at("decoder.upsamples.4.shortcut.weight").name,
            "decoder.up_blocks.1.resnets.0.conv_shortcut.weight");
  EXPECT_EQ(by_official.at("encoder.middle.1.norm.gamma").shape, (Shape{384, 1, 1}));
}

TEST(weight_names, the_cross_attention_norm_is_official_norm3) {
  for (const WeightName& one : dit_weight_names(small())) {
    EXPECT_EQ(one.name.find("norm2.") != std::string::npos, one.official.find("norm3.") != std::string::npos)
        << one.name;
    EXPECT_EQ(one.official.find("norm2."), std::string::npos) << one.official;
  }
}

TEST(weight_names, the_parameters_that_the_dit_declares_are_these) {
  DitGroups groups;
  std::map<std::string, Shape> declared;
  const Parameters parameters = declare_dit(small(), DType::f32, {}, groups);
  for (const ParameterUnit& unit : parameters.units()) {
    for (const Parameter& parameter : unit.parameters())
      declared.emplace(parameter.spec.name, parameter.spec.shape);
  }
  const std::vector<WeightName> names = dit_weight_names(small());
  EXPECT_EQ(declared.size(), names.size());
  for (const WeightName& one : names) EXPECT_EQ(declared[one.name], one.shape) << one.name;
}

class WeightSourceTest : public testing::Test {
 protected:
  /// Stores the small model with element i of tensor k as k + i / 1000, under the names that `name_of` picks.
  template <class NameOf>
  WeightSet store(NameOf name_of) {
    std::vector<std::vector<float>> values;
    std::vector<TensorToStore> tensors;
    for (const WeightName& one : names_) {
      std::vector<float> content(static_cast<std::size_t>(one.shape.elements()));
      for (std::size_t i = 0; i < content.size(); ++i) {
        content[i] = static_cast<float>(values.size()) + static_cast<float>(i) / 1000;
      }
      values.push_back(std::move(content));
      if (const std::string name = name_of(one); !name.empty()) {
        tensors.push_back({name, DType::f32, one.shape, values.back().data()});
      }
    }
    for (const std::string& name : extra_) tensors.push_back({name, DType::f32, {1}, values.front().data()});
    write_safetensors(folder_ / "x.safetensors", tensors);
    return WeightSet::open_file(folder_ / "x.safetensors");
  }

  void expect_right(const WeightSet& weights) {
    const Parameters::Source source = weight_source(weights, names_);
    for (std::size_t k = 0; k < names_.size(); ++k) {
      ParameterSpec spec;
      spec.name = names_[k].name;
      spec.shape = names_[k].shape;
      std::vector<float> out(static_cast<std::size_t>(spec.shape.elements()));
      source(spec, out.data());
      EXPECT_EQ(out.front(), static_cast<float>(k));
    }
  }

  test::TemporaryFolder folder_;
  std::vector<WeightName> names_ = dit_weight_names(small());
  std::vector<std::string> extra_;
};

TEST_F(WeightSourceTest, reads_every_spelling) {
  expect_right(store([](const WeightName& one) { return one.name; }));
  expect_right(store([](const WeightName& one) { return one.official; }));
  expect_right(store([](const WeightName& one) { return "model.diffusion_model." + one.official; }));
  extra_ = {"blocks.0.attn2.norm_added_q.weight"};
  expect_right(store([](const WeightName& one) { return one.name; }));
}

TEST_F(WeightSourceTest, refuses_what_does_not_fit) {
  const WeightSet incomplete =
      store([](const WeightName& one) { return one.name == "proj_out.bias" ? "" : one.name; });
  EXPECT_THROW((void)weight_source(incomplete, names_), DataError);
  extra_ = {"blocks.2.attn1.to_q.weight"};
  const WeightSet too_many = store([](const WeightName& one) { return one.name; });
  EXPECT_THROW((void)weight_source(too_many, names_), DataError);
  extra_.clear();
  const WeightSet whole = store([](const WeightName& one) { return one.name; });
  DitConfig wider = small();
  wider.ffn_dim = 4;
  EXPECT_THROW((void)weight_source(whole, dit_weight_names(wider)), DataError);
}

template <class Config>
Config demo_config(const std::string& component) {
  const std::string file = WAN_SOURCE_DIR "/inputs/demo/model/" + component + "/config.json";
  return Config::from_json(Json::parse_file(file), file);
}

WeightSet demo_weights(const std::string& component) {
  return WeightSet::open_component(WAN_SOURCE_DIR "/inputs/demo/model/" + component);
}

TEST(weight_source, fits_the_demo_models_files) {
  const WeightSet text = demo_weights("text_encoder");
  EXPECT_NO_THROW((void)weight_source(text, umt5_weight_names(demo_config<Umt5Config>("text_encoder"))));
  const WeightSet vae = demo_weights("vae");
  EXPECT_NO_THROW((void)weight_source(vae, vae_weight_names(demo_config<VaeConfig>("vae"))));
}

}  // namespace
}  // namespace wan
