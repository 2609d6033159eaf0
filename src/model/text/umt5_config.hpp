#pragma once
#include <cstdint>
#include <string>

#include "base/json.hpp"

namespace wan {

/// Architecture of a UMT5 encoder: the fields of a transformers text_encoder/config.json (UMT5EncoderModel)
/// under the same names, with the values of umt5-xxl for those that may be missing.
struct Umt5Config {
  std::int64_t vocab_size = 256384;
  std::int64_t d_model = 4096;
  std::int64_t d_kv = 64;  ///< width of one head; the heads together need not be d_model wide
  std::int64_t d_ff = 10240;
  std::int64_t num_layers = 24;
  std::int64_t num_heads = 64;
  std::int64_t relative_attention_num_buckets = 32;
  std::int64_t relative_attention_max_distance = 128;
  double layer_norm_epsilon = 1e-6;

  /// Reads config.json. Throws DataError(source) for values out of range, and for a feed-forward that is not
  /// the gated tanh GELU of UMT5.
  [[nodiscard]] static Umt5Config from_json(const Json& json, const std::string& source);

  /// Width of queries, keys and values.
  [[nodiscard]] std::int64_t inner_dim() const { return num_heads * d_kv; }
};

}  // namespace wan
