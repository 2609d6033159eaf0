#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/json.hpp"

namespace wan {

/// The fields of a diffusers transformer/config.json (WanTransformer3DModel), under the same names, with the
/// defaults of Wan 2.1 for those that may be missing.
struct DitConfig {
  std::int64_t num_attention_heads = 0;
  std::int64_t attention_head_dim = 0;
  std::int64_t num_layers = 0;
  std::int64_t ffn_dim = 0;
  std::int64_t in_channels = 16;
  std::int64_t out_channels = 16;
  std::int64_t text_dim = 4096;
  std::int64_t freq_dim = 256;
  std::int64_t rope_max_seq_len = 1024;
  std::array<std::int64_t, 3> patch_size = {1, 2, 2};
  double eps = 1e-6;
  bool cross_attn_norm = true;
  std::string qk_norm = "rms_norm_across_heads";
  std::optional<std::int64_t> added_kv_proj_dim;
  std::optional<std::int64_t> image_dim;
  std::optional<std::int64_t> pos_embed_seq_len;

  /// Rows that a prompt is padded to; fixed in all Wan models and not in the file.
  static constexpr std::int64_t text_slots = 512;

  /// Reads and validates config.json; `source` names it in messages.
  [[nodiscard]] static DitConfig from_json(const Json& json, const std::string& source);

  [[nodiscard]] std::int64_t dim() const { return num_attention_heads * attention_head_dim; }

  /// Throws DataError(source) naming the first field that this suite cannot run, with what it allows.
  void validate(const std::string& source) const;
};

}  // namespace wan
