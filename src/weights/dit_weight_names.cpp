#include "weights/dit_weight_names.hpp"

#include "base/text.hpp"

namespace wan {
namespace {

class Names {
 public:
  void add(const std::string& name, const std::string& official, const Shape& shape) {
    names_.push_back({name, official, shape});
  }
  /// A weight [outputs, inputs] and a bias [outputs].
  void linear(const std::string& name, const std::string& official, std::int64_t outputs,
              std::int64_t inputs) {
    add(name + ".weight", official + ".weight", {outputs, inputs});
    add(name + ".bias", official + ".bias", {outputs});
  }
  std::vector<WeightName> take() { return std::move(names_); }

 private:
  std::vector<WeightName> names_;
};

void add_attention(Names& names, const std::string& name, const std::string& official, std::int64_t dim) {
  names.linear(name + ".to_q", official + ".q", dim, dim);
  names.linear(name + ".to_k", official + ".k", dim, dim);
  names.linear(name + ".to_v", official + ".v", dim, dim);
  names.linear(name + ".to_out.0", official + ".o", dim, dim);
  names.add(name + ".norm_q.weight", official + ".norm_q.weight", {dim});
  names.add(name + ".norm_k.weight", official + ".norm_k.weight", {dim});
}

void add_block(Names& names, const std::string& block, std::int64_t dim, std::int64_t ffn_dim) {
  names.add(block + "scale_shift_table", block + "modulation", {1, 6, dim});
  add_attention(names, block + "attn1", block + "self_attn", dim);
  names.add(block + "norm2.weight", block + "norm3.weight", {dim});
  names.add(block + "norm2.bias", block + "norm3.bias", {dim});
  add_attention(names, block + "attn2", block + "cross_attn", dim);
  names.linear(block + "ffn.net.0.proj", block + "ffn.0", ffn_dim, dim);
  names.linear(block + "ffn.net.2", block + "ffn.2", dim, ffn_dim);
}

}  // namespace

std::vector<WeightName> dit_weight_names(const DitConfig& config) {
  const std::int64_t dim = config.dim();
  const auto& [patch_t, patch_h, patch_w] = config.patch_size;
  const std::string embedder = "condition_embedder.";
  Names names;
  names.add("patch_embedding.weight", "patch_embedding.weight",
            {dim, config.in_channels, patch_t, patch_h, patch_w});
  names.add("patch_embedding.bias", "patch_embedding.bias", {dim});
  names.linear(embedder + "text_embedder.linear_1", "text_embedding.0", dim, config.text_dim);
  names.linear(embedder + "text_embedder.linear_2", "text_embedding.2", dim, dim);
  names.linear(embedder + "time_embedder.linear_1", "time_embedding.0", dim, config.freq_dim);
  names.linear(embedder + "time_embedder.linear_2", "time_embedding.2", dim, dim);
  names.linear(embedder + "time_proj", "time_projection.1", 6 * dim, dim);
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    add_block(names, cat("blocks.", layer, "."), dim, config.ffn_dim);
  }
  names.add("scale_shift_table", "head.modulation", {1, 2, dim});
  names.linear("proj_out", "head.head", config.out_channels * patch_t * patch_h * patch_w, dim);
  return names.take();
}

}  // namespace wan
