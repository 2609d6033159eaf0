#include "model/dit/config.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "base/json_fields.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

void require(bool holds, const std::string& source, const char* field, const std::string& found,
             const char* allowed) {
  if (!holds) throw DataError(source, cat(field, " is ", found, "; allowed: ", allowed));
}

void require_count(const std::string& source, const char* field, std::int64_t value) {
  constexpr std::int64_t most = std::int64_t{1} << 20;
  require(value >= 1 && value <= most, source, field, cat(value), "1 to 1048576");
}

void require_even(const std::string& source, const char* field, std::int64_t value) {
  require_count(source, field, value);
  require(value % 2 == 0, source, field, cat(value), "an even number");
}

}  // namespace

DitConfig DitConfig::from_json(const Json& json, const std::string& source) {
  constexpr std::int64_t most = std::int64_t{1} << 20;
  const JsonFields fields(json, source);
  fields.only("_class_name", {"WanTransformer3DModel"}, "");
  DitConfig out;
  fields.integer("num_attention_heads", out.num_attention_heads, 1, most);
  fields.integer("attention_head_dim", out.attention_head_dim, 1, most);
  fields.integer("num_layers", out.num_layers, 1, most);
  fields.integer("ffn_dim", out.ffn_dim, 1, most);
  fields.integer("in_channels", out.in_channels, 1, most);
  fields.integer("out_channels", out.out_channels, 1, most);
  fields.integer("text_dim", out.text_dim, 1, most);
  fields.integer("freq_dim", out.freq_dim, 1, most);
  fields.integer("rope_max_seq_len", out.rope_max_seq_len, 1, most);
  std::vector<std::int64_t> patch(out.patch_size.begin(), out.patch_size.end());
  fields.integers("patch_size", patch, 1, most);
  if (patch.size() != out.patch_size.size())
    fields.refuse("patch_size", cat(patch.size(), " numbers"), "3 numbers");
  std::copy(patch.begin(), patch.end(), out.patch_size.begin());
  fields.number("eps", out.eps);
  fields.flag("cross_attn_norm", out.cross_attn_norm);
  fields.text("qk_norm", out.qk_norm);
  fields.integer("added_kv_proj_dim", out.added_kv_proj_dim, 1, most);
  fields.integer("image_dim", out.image_dim, 1, most);
  fields.integer("pos_embed_seq_len", out.pos_embed_seq_len, 1, most);
  out.validate(source);
  return out;
}

void DitConfig::validate(const std::string& source) const {
  require_count(source, "num_attention_heads", num_attention_heads);
  require_even(source, "attention_head_dim", attention_head_dim);
  require_count(source, "num_layers", num_layers);
  require_count(source, "ffn_dim", ffn_dim);
  require_count(source, "in_channels", in_channels);
  require_count(source, "out_channels", out_channels);
  require_count(source, "text_dim", text_dim);
  require_even(source, "freq_dim", freq_dim);
  require_count(source, "rope_max_seq_len", rope_max_seq_len);
  require_count(source, "num_attention_heads * attention_head_dim", dim());
  require(patch_size == std::array<std::int64_t, 3>{1, 2, 2}, source, "patch_size",
          cat("[", patch_size[0], ", ", patch_size[1], ", ", patch_size[2], "]"), "[1, 2, 2]");
  require(std::isfinite(eps) && eps > 0, source, "eps", cat(eps), "a positive number");
  require(cross_attn_norm, source, "cross_attn_norm", "false", "true");
  require(qk_norm == "rms_norm_across_heads", source, "qk_norm", qk_norm, "rms_norm_across_heads");
  require(!added_kv_proj_dim && !image_dim && !pos_embed_seq_len, source,
          "added_kv_proj_dim, image_dim or pos_embed_seq_len", "set (an image-conditioned model)",
          "null: text to video");
}

}  // namespace wan
