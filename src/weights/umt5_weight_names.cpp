#include "weights/umt5_weight_names.hpp"

#include "base/text.hpp"

namespace wan {

std::vector<WeightName> umt5_weight_names(const Umt5Config& config) {
  const std::int64_t dim = config.d_model;
  const std::int64_t inner = config.inner_dim();
  std::vector<WeightName> names;
  names.push_back({"shared.weight", "token_embedding.weight", {config.vocab_size, dim}});
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    const std::string attention = cat("encoder.block.", layer, ".layer.0.");
    const std::string feed_forward = cat("encoder.block.", layer, ".layer.1.");
    const std::string official = cat("blocks.", layer, ".");
    names.push_back({attention + "layer_norm.weight", official + "norm1.weight", {dim}});
    for (const char* projection : {"q", "k", "v"}) {
      names.push_back({cat(attention, "SelfAttention.", projection, ".weight"),
                       cat(official, "attn.", projection, ".weight"),
                       {inner, dim}});
    }
    names.push_back({attention + "SelfAttention.o.weight", official + "attn.o.weight", {dim, inner}});
    names.push_back({feed_forward + "layer_norm.weight", official + "norm2.weight", {dim}});
    names.push_back(
        {feed_forward + "DenseReluDense.wi_0.weight", official + "ffn.gate.0.weight", {config.d_ff, dim}});
    names.push_back(
        {feed_forward + "DenseReluDense.wi_1.weight", official + "ffn.fc1.weight", {config.d_ff, dim}});
    names.push_back(
        {feed_forward + "DenseReluDense.wo.weight", official + "ffn.fc2.weight", {dim, config.d_ff}});
    names.push_back({attention + "SelfAttention.relative_attention_bias.weight",
                     official + "pos_embedding.embedding.weight",
                     {config.relative_attention_num_buckets, config.num_heads}});
  }
  names.push_back({"encoder.final_layer_norm.weight", "norm.weight", {dim}});
  return names;
}

}  // namespace wan
