#include "model/text/umt5_config.hpp"

#include "base/json_fields.hpp"
#include "base/text.hpp"
#include "device/ops/text.hpp"

namespace wan {

Umt5Config Umt5Config::from_json(const Json& json, const std::string& source) {
  constexpr std::int64_t most = std::int64_t{1} << 20;
  const JsonFields fields(json, source);
  fields.only("model_type", {"umt5"}, "the text encoder of Wan");
  fields.only("feed_forward_proj", {"gated-gelu"}, "");
  fields.only("dense_act_fn", {"gelu_new"}, "");
  fields.only("is_gated_act", {true}, "");
  Umt5Config out;
  fields.integer("vocab_size", out.vocab_size, 1, std::int64_t{1} << 24);
  fields.integer("d_model", out.d_model, 1, most);
  fields.integer("d_kv", out.d_kv, 1, most);
  fields.integer("d_ff", out.d_ff, 1, most);
  fields.integer("num_layers", out.num_layers, 1, 1024);
  fields.integer("num_heads", out.num_heads, 1, 1024);
  fields.integer("relative_attention_num_buckets", out.relative_attention_num_buckets, 4,
                 RelativeBuckets::most);
  fields.integer("relative_attention_max_distance", out.relative_attention_max_distance, 2, most);
  fields.number("layer_norm_epsilon", out.layer_norm_epsilon);
  const std::int64_t own_bucket = out.relative_attention_num_buckets / 4;
  if (out.relative_attention_max_distance <= own_bucket) {
    fields.refuse("relative_attention_max_distance", cat(out.relative_attention_max_distance),
                  cat("more than ", own_bucket, ", the distances with a bucket of their own"));
  }
  if (out.layer_norm_epsilon <= 0)
    fields.refuse("layer_norm_epsilon", cat(out.layer_norm_epsilon), "positive numbers");
  return out;
}

}  // namespace wan
