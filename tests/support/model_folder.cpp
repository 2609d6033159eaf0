#include "support/model_folder.hpp"

#include <filesystem>
#include <vector>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/philox.hpp"
#include "weights/dit_weight_names.hpp"
#include "weights/safetensors.hpp"
#include "weights/weight_set.hpp"

namespace wan::test {
namespace {

Json config_json(const DitConfig& config) {
  Json json;
  json.set("_class_name", "WanTransformer3DModel");
  json.set("num_attention_heads", config.num_attention_heads);
  json.set("attention_head_dim", config.attention_head_dim);
  json.set("num_layers", config.num_layers);
  json.set("ffn_dim", config.ffn_dim);
  json.set("in_channels", config.in_channels);
  json.set("out_channels", config.out_channels);
  json.set("text_dim", config.text_dim);
  json.set("freq_dim", config.freq_dim);
  return json;
}

}  // namespace

DitConfig small_transformer() {
  DitConfig config;
  config.num_attention_heads = 2;
  config.attention_head_dim = 32;
  config.num_layers = 2;
  config.ffn_dim = 128;
  config.in_channels = 4;
  config.out_channels = 4;
  config.text_dim = 16;
  return config;
}

void write_model_folder(const std::string& folder, const DitConfig& config) {
  make_folders(folder + "/transformer");
  for (const char* part : {"vae", "text_encoder", "tokenizer", "scheduler"}) {
    std::filesystem::create_directory_symlink(std::string(WAN_SOURCE_DIR "/inputs/demo/model/") + part,
                                              folder + "/" + part);
  }
  write_file_atomically(folder + "/transformer/config.json", config_json(config).dump(1));
  const std::vector<WeightName> names = dit_weight_names(config);
  std::vector<std::vector<float>> values;
  std::vector<TensorToStore> tensors;
  for (const WeightName& each : names) {
    values.emplace_back(static_cast<std::size_t>(each.shape.elements()));
    fill_normal(random_key(1, values.size(), 0, Purpose::mock_latent), 0, each.shape.elements(),
                values.back().data());
    for (float& value : values.back()) value *= 0.02F;
    tensors.push_back({each.name, DType::f32, each.shape, values.back().data()});
  }
  write_safetensors(folder + "/transformer/diffusion_pytorch_model.safetensors", tensors);
}

ModelHashes hashes_of_model_folder(const std::string& folder) {
  return {component_hash(WeightSet::open_component(folder + "/vae")),
          component_hash(WeightSet::open_component(folder + "/text_encoder"))};
}

}  // namespace wan::test
