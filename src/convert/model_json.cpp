#include "convert/model_json.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "base/json_fields.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

template <class List>
Json array_of(const List& values) {
  Json out = Json(Json::Array());
  for (const auto& value : values) out.push(value);
  return out;
}

/// The shortest decimal form that is this float, as a double.
double as_written(float value) {
  std::array<char, 32> text{};
  const std::to_chars_result end = std::to_chars(text.data(), text.data() + text.size() - 1, value);
  *end.ptr = '\0';
  return std::strtod(text.data(), nullptr);
}

Json statistics(const std::vector<float>& values) {
  Json out = Json(Json::Array());
  for (const float value : values) out.push(as_written(value));
  return out;
}

/// [dim, text width]: the first matrix of the text's embedding.
std::int64_t text_width(const StreamedComponent& weights, std::int64_t usual) {
  constexpr std::string_view end = "text_embedding.0.weight";
  for (const StreamedTensor& tensor : weights.tensors) {
    const std::string& name = tensor.name;
    if (name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0 &&
        tensor.shape.rank() == 2)
      return tensor.shape[1];
  }
  return usual;
}

}  // namespace

Json diffusers_json(const DitConfig& config) {
  Json out;
  out.set("_class_name", "WanTransformer3DModel");
  out.set("added_kv_proj_dim", nullptr);
  out.set("attention_head_dim", config.attention_head_dim);
  out.set("cross_attn_norm", config.cross_attn_norm);
  out.set("eps", config.eps);
  out.set("ffn_dim", config.ffn_dim);
  out.set("freq_dim", config.freq_dim);
  out.set("image_dim", nullptr);
  out.set("in_channels", config.in_channels);
  out.set("num_attention_heads", config.num_attention_heads);
  out.set("num_layers", config.num_layers);
  out.set("out_channels", config.out_channels);
  out.set("patch_size", array_of(config.patch_size));
  out.set("qk_norm", config.qk_norm);
  out.set("rope_max_seq_len", config.rope_max_seq_len);
  out.set("text_dim", config.text_dim);
  return out;
}

Json official_json(const DitConfig& config) {
  Json out;
  out.set("_class_name", "WanModel");
  out.set("_diffusers_version", "0.30.0");
  out.set("dim", config.dim());
  out.set("eps", config.eps);
  out.set("ffn_dim", config.ffn_dim);
  out.set("freq_dim", config.freq_dim);
  out.set("in_dim", config.in_channels);
  out.set("model_type", "t2v");
  out.set("num_heads", config.num_attention_heads);
  out.set("num_layers", config.num_layers);
  out.set("out_dim", config.out_channels);
  out.set("text_len", DitConfig::text_slots);
  return out;
}

DitConfig official_dit_config(const Json& json, const std::string& source, const StreamedComponent& weights) {
  constexpr std::int64_t most = std::int64_t{1} << 20;
  const JsonFields fields(json, source);
  fields.only("_class_name", {"WanModel"}, "the official Wan 2.1 code's");
  fields.only("model_type", {"t2v"}, "text to video");
  fields.only("text_len", {DitConfig::text_slots}, "");
  DitConfig out;
  std::int64_t dim = 0;
  fields.integer("dim", dim, 1, most);
  fields.integer("num_heads", out.num_attention_heads, 1, most);
  fields.integer("num_layers", out.num_layers, 1, most);
  fields.integer("ffn_dim", out.ffn_dim, 1, most);
  fields.integer("in_dim", out.in_channels, 1, most);
  fields.integer("out_dim", out.out_channels, 1, most);
  fields.integer("freq_dim", out.freq_dim, 1, most);
  fields.number("eps", out.eps);
  if (out.num_attention_heads == 0 || dim % out.num_attention_heads != 0) {
    fields.refuse("dim", cat(dim, " for ", out.num_attention_heads, " heads"), "a multiple of num_heads");
  }
  out.attention_head_dim = dim / out.num_attention_heads;
  out.text_dim = text_width(weights, out.text_dim);
  out.validate(source);
  return out;
}

Json diffusers_json(const VaeConfig& config) {
  Json out;
  out.set("_class_name", "AutoencoderKLWan");
  out.set("attn_scales", Json::Array());
  out.set("base_dim", config.base_dim);
  out.set("dim_mult", array_of(config.dim_mult));
  out.set("dropout", 0.0);
  out.set("latents_mean", statistics(config.latents_mean));
  out.set("latents_std", statistics(config.latents_std));
  out.set("num_res_blocks", config.num_res_blocks);
  Json temporal = Json(Json::Array());
  for (const bool each : config.temporal_downsample) temporal.push(each);
  out.set("temperal_downsample", std::move(temporal));
  out.set("z_dim", config.z_dim);
  return out;
}

Json transformers_json(const Umt5Config& config, DType dtype) {
  Json out;
  out.set("architectures", Json::Array{"UMT5EncoderModel"});
  out.set("d_ff", config.d_ff);
  out.set("d_kv", config.d_kv);
  out.set("d_model", config.d_model);
  out.set("decoder_start_token_id", 0);
  out.set("dense_act_fn", "gelu_new");
  out.set("dropout_rate", 0.1);
  out.set("eos_token_id", 1);
  out.set("feed_forward_proj", "gated-gelu");
  out.set("is_encoder_decoder", true);
  out.set("is_gated_act", true);
  out.set("layer_norm_epsilon", config.layer_norm_epsilon);
  out.set("model_type", "umt5");
  out.set("num_decoder_layers", config.num_layers);
  out.set("num_heads", config.num_heads);
  out.set("num_layers", config.num_layers);
  out.set("pad_token_id", 0);
  out.set("relative_attention_max_distance", config.relative_attention_max_distance);
  out.set("relative_attention_num_buckets", config.relative_attention_num_buckets);
  const char* torch_name = dtype == DType::bf16 ? "bfloat16" : dtype == DType::f16 ? "float16" : "float32";
  out.set("torch_dtype", torch_name);
  out.set("vocab_size", config.vocab_size);
  return out;
}

Json scheduler_json() {
  Json out;
  out.set("_class_name", "UniPCMultistepScheduler");
  out.set("final_sigmas_type", "zero");
  out.set("flow_shift", 3.0);
  out.set("lower_order_final", true);
  out.set("num_train_timesteps", 1000);
  out.set("predict_x0", true);
  out.set("prediction_type", "flow_prediction");
  out.set("solver_order", 2);
  out.set("solver_type", "bh2");
  out.set("use_flow_sigmas", true);
  return out;
}

Json model_index_json(const std::string& tokenizer) {
  Json out;
  out.set("_class_name", "WanPipeline");
  out.set("scheduler", Json::Array{"diffusers", "UniPCMultistepScheduler"});
  out.set("text_encoder", Json::Array{"transformers", "UMT5EncoderModel"});
  out.set("tokenizer", Json::Array{"transformers", tokenizer});
  out.set("transformer", Json::Array{"diffusers", "WanTransformer3DModel"});
  out.set("vae", Json::Array{"diffusers", "AutoencoderKLWan"});
  return out;
}

}  // namespace wan
