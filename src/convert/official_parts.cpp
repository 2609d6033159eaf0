#include "convert/official_parts.hpp"

#include <filesystem>
#include <map>

#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/torch/state_dict.hpp"
#include "weights/umt5_weight_names.hpp"
#include "weights/vae_weight_names.hpp"
#include "weights/weight_names.hpp"

namespace wan {
namespace {

/// Extents by official name.
class Shapes {
 public:
  explicit Shapes(const StreamedComponent& weights) : path_(weights.path) {
    for (const StreamedTensor& tensor : weights.tensors) shapes_.emplace(tensor.name, tensor.shape);
  }

  [[nodiscard]] bool has(const std::string& name) const { return shapes_.count(name) != 0; }
  [[nodiscard]] std::int64_t extent(const std::string& name, int axis) const {
    const auto at = shapes_.find(name);
    if (at == shapes_.end())
      throw DataError(path_, cat("has no tensor '", name, "', which tells the architecture"));
    if (at->second.rank() <= axis || at->second[axis] < 1) {
      throw DataError(path_, cat("tensor '", name, "' has shape ", at->second.text(), ", allowed: ", axis + 1,
                                 " extents or more, none 0"));
    }
    return at->second[axis];
  }
  [[noreturn]] void refuse(const std::string& message) const { throw DataError(path_, message); }

 private:
  std::string path_;
  std::map<std::string, Shape> shapes_;
};

/// What JSON a VaeConfig is made of, to be checked as a file's would be.
Json levels_of(const Shapes& shapes) {
  const std::int64_t base = shapes.extent("encoder.conv1.weight", 0);
  Json multiples = Json(Json::Array());
  Json temporal = Json(Json::Array());
  std::int64_t blocks = 0;
  std::int64_t blocks_before = -1;
  const auto end_level = [&](std::int64_t width) {
    if (width % base != 0) shapes.refuse(cat("a level is ", width, " wide, allowed: a multiple of ", base));
    if (blocks_before >= 0 && blocks != blocks_before) {
      shapes.refuse(
          cat("levels of ", blocks_before, " and of ", blocks, " residual blocks, allowed: as many in all"));
    }
    multiples.push(width / base);
    blocks_before = blocks;
    blocks = 0;
  };
  std::int64_t width = base;
  for (std::int64_t i = 0;; ++i) {
    const std::string at = cat("encoder.downsamples.", i);
    if (shapes.has(at + ".residual.2.weight")) {
      width = shapes.extent(at + ".residual.2.weight", 0);
      ++blocks;
    } else if (shapes.has(at + ".resample.1.weight")) {
      end_level(width);
      temporal.push(shapes.has(at + ".time_conv.weight"));
    } else {
      break;
    }
  }
  end_level(width);
  Json out;
  out.set("base_dim", base);
  out.set("dim_mult", std::move(multiples));
  out.set("num_res_blocks", blocks_before);
  out.set("temperal_downsample", std::move(temporal));
  out.set("z_dim", shapes.extent("conv2.weight", 0));
  return out;
}

/// As `matched`, and stored as this suite reads it.
StreamedComponent readable(const StreamedComponent& weights, const std::vector<WeightName>& names) {
  for (const StreamedTensor& tensor : weights.tensors) (void)stored_as(tensor, DType::f32, weights.path);
  return matched(weights, names);
}

std::string require_folder(const std::string& path, const char* file) {
  std::error_code ignored;
  if (!std::filesystem::exists(path + "/" + file, ignored)) {
    throw NoInputError(path, cat("holds no ", file, ": the tokenizer of the text encoder is needed"));
  }
  return path;
}

}  // namespace

VaeConfig vae_config_of(const StreamedComponent& weights) {
  return VaeConfig::from_json(levels_of(Shapes(weights)), weights.path);
}

Umt5Config umt5_config_of(const StreamedComponent& weights) {
  const Shapes shapes(weights);
  Json json;
  std::int64_t layers = 0;
  while (shapes.has(cat("blocks.", layers, ".attn.q.weight"))) ++layers;
  const std::int64_t heads = shapes.extent("blocks.0.pos_embedding.embedding.weight", 1);
  const std::int64_t inner = shapes.extent("blocks.0.attn.q.weight", 0);
  if (inner % heads != 0)
    shapes.refuse(cat("queries of ", inner, " for ", heads, " heads, allowed: a multiple"));
  json.set("vocab_size", shapes.extent("token_embedding.weight", 0));
  json.set("d_model", shapes.extent("token_embedding.weight", 1));
  json.set("d_ff", shapes.extent("blocks.0.ffn.gate.0.weight", 0));
  json.set("d_kv", inner / heads);
  json.set("num_heads", heads);
  json.set("num_layers", layers);
  json.set("relative_attention_num_buckets", shapes.extent("blocks.0.pos_embedding.embedding.weight", 0));
  return Umt5Config::from_json(json, weights.path);
}

OfficialParts open_official_parts(const std::string& folder) {
  OfficialParts out;
  const StreamedComponent vae = open_state_dict(folder + "/Wan2.1_VAE.pth");
  out.vae = vae_config_of(vae);
  out.vae_weights = readable(vae, vae_weight_names(out.vae));
  const StreamedComponent text = open_state_dict(folder + "/models_t5_umt5-xxl-enc-bf16.pth");
  out.text_encoder = umt5_config_of(text);
  out.text_encoder_weights = readable(text, umt5_weight_names(out.text_encoder));
  out.tokenizer = require_folder(folder + "/google/umt5-xxl", "spiece.model");
  return out;
}

}  // namespace wan
