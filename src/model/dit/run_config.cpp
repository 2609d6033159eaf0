#include "model/dit/run_config.hpp"

namespace wan {

DitConfig dit_config(const TrainConfig::Model& model) {
  DitConfig config;
  config.num_attention_heads = model.num_attention_heads;
  config.attention_head_dim = model.head_dim();
  config.num_layers = model.num_layers;
  config.ffn_dim = model.ffn_hidden_size;
  config.in_channels = model.in_channels;
  config.out_channels = model.out_channels;
  config.text_dim = model.text_dim;
  config.freq_dim = model.freq_dim;
  config.eps = model.layernorm_epsilon;
  config.patch_size = {model.patch_temporal, model.patch_spatial, model.patch_spatial};
  config.validate("model");
  return config;
}

DType storage_dtype(Storage storage) {
  return storage == Storage::bf16 ? DType::bf16 : DType::f32;
}

}  // namespace wan
