#include "train/data_origin.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "weights/model_folder.hpp"
#include "weights/model_parts.hpp"

namespace wan {
namespace {

struct Part {
  const char* key;
  const char* made;  ///< what of the data set it made
  const char* component;
};

constexpr Part parts_of_model[] = {{"vae_hash", "latents", "vae"},
                                   {"text_encoder_hash", "text embeddings", "text_encoder"},
                                   {"tokenizer_hash", "tokens", nullptr}};

}  // namespace

Json origin_of(const DatasetSettings& settings) {
  Json origin;
  origin.set("model", settings.model);
  origin.set("vae_hash", to_hex(settings.vae_hash));
  origin.set("text_encoder_hash", to_hex(settings.text_encoder_hash));
  origin.set("tokenizer_hash", to_hex(settings.tokenizer_hash));
  if (settings.height && settings.width) {
    origin.set("height", *settings.height);
    origin.set("width", *settings.width);
  }
  if (settings.fps) origin.set("fps", *settings.fps);
  return origin;
}

void require_same_origin(const std::string& dataset, const Json& here, const Json& there,
                         const std::string& what) {
  for (const Part& part : parts_of_model) {
    const Json* found = here.find(part.key);
    const Json* expected = there.find(part.key);
    if (found == nullptr || expected == nullptr || found->as_string() == expected->as_string()) continue;
    throw DataError(dataset, cat("its ", part.made, " were made with ", here.at("model").as_string(), " (",
                                 part.key, " ", found->as_string(), "), allowed: those that fit ", what, " (",
                                 part.key, " ", expected->as_string(), ")"));
  }
}

void require_origin_of_folder(const Communicator& world, const std::string& dataset, const Json& here,
                              const std::string& folder, FolderParts parts) {
  if (!here.is_object()) return;
  Json there = Json(Json::Object{});
  for (const Part& part : parts_of_model) {
    const bool wanted = parts == FolderParts::all || std::string(part.key) == "vae_hash";
    if (!wanted || part.component == nullptr) continue;
    const std::string component = cat(folder, "/", part.component);
    if (min_over(world, std::int64_t{std::filesystem::is_directory(component) ? 1 : 0}) == 0) continue;
    there.set(part.key, to_hex(shared_component_hash(world, component)));
  }
  require_same_origin(dataset, here, there, folder);
}

void require_vae_unchanged(const Communicator& world, const std::string& dataset, const Json& here) {
  if (!here.is_object()) return;
  std::string folder;
  try {
    if (world.rank() == 0) folder = find_model_folder(here.at("model").as_string());
  } catch (const NoInputError&) {
    // Latents and texts are all that training needs.
  }
  folder = broadcast_text(world, folder);
  if (!folder.empty()) require_origin_of_folder(world, dataset, here, folder, FolderParts::vae);
}

}  // namespace wan
