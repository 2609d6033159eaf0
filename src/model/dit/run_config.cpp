#include "model/dit/run_config.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

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

TrainConfig::Model model_group(const DitConfig& config, const std::string& source) {
  TrainConfig::Model model;
  model.num_layers = config.num_layers;
  model.hidden_size = config.dim();
  model.num_attention_heads = config.num_attention_heads;
  model.ffn_hidden_size = config.ffn_dim;
  model.in_channels = config.in_channels;
  model.out_channels = config.out_channels;
  model.text_dim = config.text_dim;
  model.freq_dim = config.freq_dim;
  model.layernorm_epsilon = config.eps;
  if (const std::int64_t usual = DitConfig().rope_max_seq_len; config.rope_max_seq_len != usual) {
    throw DataError(source, cat("rope_max_seq_len is ", config.rope_max_seq_len, ", allowed: ", usual));
  }
  return model;
}

}  // namespace wan
