#include "weights/model_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace wan {
namespace fs = std::filesystem;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// "ORG/NAME" of letters, digits, '-', '_' and '.', neither part beginning with a dot.
bool is_public_id(const std::string& model) {
  const std::vector<std::string> parts = split(model, '/');
  if (parts.size() != 2) return false;
  for (const std::string& part : parts) {
    if (part.empty() || part.front() == '.') return false;
    for (const char c : part) {
      const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!word && c != '-' && c != '_' && c != '.') return false;
    }
  }
  return true;
}

/// hub/models--ORG--NAME/snapshots/<commit>, where refs/main holds the commit.
std::optional<std::string> find_in_cache(const std::string& id, const std::string& hub) {
  const std::vector<std::string> parts = split(id, '/');
  const std::string repository = cat(hub, "/models--", parts[0], "--", parts[1]);
  const std::string reference = repository + "/refs/main";
  if (!fs::exists(reference)) return std::nullopt;
  const std::string content = read_file(reference, 4096);
  const std::string snapshot = cat(repository, "/snapshots/", trim(content));
  if (trim(content).empty() || !is_folder(snapshot)) return std::nullopt;
  return snapshot;
}

[[noreturn]] void not_found(const std::string& model, const ModelPlaces& places) {
  const std::string in_models =
      places.models.empty() ? "WAN_MODELS is not set" : cat("not in WAN_MODELS=", places.models);
  const std::string target = places.models.empty() ? "" : cat(" --local-dir ", places.models, "/", model);
  throw NoInputError(model, cat("is no folder; ", in_models, "; not in the Hugging Face cache ", places.hub,
                                ". On a login node with internet run: hf download ", model, target));
}

}  // namespace

ModelPlaces ModelPlaces::from_environment() {
  ModelPlaces out;
  out.models = environment("WAN_MODELS");
  out.hub = environment("HF_HUB_CACHE");
  if (!out.hub.empty()) return out;
  std::string home = environment("HF_HOME");
  if (home.empty() && !environment("XDG_CACHE_HOME").empty())
    home = environment("XDG_CACHE_HOME") + "/huggingface";
  if (home.empty()) home = environment("HOME") + "/.cache/huggingface";
  out.hub = home + "/hub";
  return out;
}

std::string find_model_folder(const std::string& model, const ModelPlaces& places) {
  if (is_folder(model)) return model;
  if (!is_public_id(model)) {
    throw NoInputError(model, "is neither a folder nor a public id like Wan-AI/Wan2.1-T2V-1.3B-Diffusers");
  }
  if (!places.models.empty() && is_folder(places.models + "/" + model)) return places.models + "/" + model;
  if (const std::optional<std::string> cached = find_in_cache(model, places.hub)) return *cached;
  not_found(model, places);
}

}  // namespace wan
