#include "train/same_model.hpp"

#include "base/text.hpp"
#include "config/complaints.hpp"

namespace wan {

void require_same_model(const DitConfig& here, const DitConfig& there, const std::string& what) {
  Complaints complaints;
  const auto compare = [&](const char* key, auto found, auto expected) {
    if (found != expected) complaints.add(key, cat("found ", found, ", but ", what, " has ", expected));
  };
  compare("model.num_layers", here.num_layers, there.num_layers);
  compare("model.hidden_size", here.dim(), there.dim());
  compare("model.num_attention_heads", here.num_attention_heads, there.num_attention_heads);
  compare("model.kv_channels", here.attention_head_dim, there.attention_head_dim);
  compare("model.ffn_hidden_size", here.ffn_dim, there.ffn_dim);
  compare("model.in_channels", here.in_channels, there.in_channels);
  compare("model.out_channels", here.out_channels, there.out_channels);
  compare("model.text_dim", here.text_dim, there.text_dim);
  compare("model.freq_dim", here.freq_dim, there.freq_dim);
  compare("model.layernorm_epsilon", here.eps, there.eps);
  complaints.throw_if_any();
}

}  // namespace wan
