#include "weights/model_origin.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

void require_same(const Json& origin, const char* key, const Hash128& here, const std::string& model) {
  const Json* recorded = origin.find(key);
  if (recorded == nullptr || recorded->as_string() == to_hex(here)) return;
  throw DataError(model, cat("its ", key, " is ", to_hex(here), ", the checkpoint was trained on data with ",
                             recorded->as_string(), "; latents and texts of the two do not fit"));
}

}  // namespace

Json origin_of(const ModelParts& parts) {
  Json origin;
  origin.set("model", parts.folder);
  origin.set("vae_hash", to_hex(parts.vae_hash));
  origin.set("text_encoder_hash", to_hex(parts.text_encoder_hash));
  origin.set("tokenizer_hash", to_hex(parts.tokenizer_hash));
  return origin;
}

void require_recorded(const Json& origin, const ModelParts& parts, const std::string& model) {
  require_same(origin, "vae_hash", parts.vae_hash, model);
  require_same(origin, "text_encoder_hash", parts.text_encoder_hash, model);
  require_same(origin, "tokenizer_hash", parts.tokenizer_hash, model);
}

}  // namespace wan
