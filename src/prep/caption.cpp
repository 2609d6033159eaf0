#include "prep/caption.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "prep/reject.hpp"

namespace wan {
namespace {

constexpr std::int64_t longest_file = std::int64_t{16} << 20;
constexpr std::int64_t longest_caption = 1 << 16;

std::string sidecar(const std::string& video, const char* extension) {
  return std::filesystem::path(video).replace_extension(extension).string();
}

std::string checked(const std::string& caption) {
  if (static_cast<std::int64_t>(caption.size()) > longest_caption) {
    throw Reject("malformed_caption",
                 cat("a caption of ", caption.size(), " bytes, allowed: ", longest_caption));
  }
  return caption;
}

std::string caption_of_json(const std::string& path) {
  const Json json = Json::parse(read_file(path, longest_file), path);
  const Json* caption = json.find("caption");
  if (caption == nullptr || !caption->is_string()) {
    throw Reject("malformed_caption", "the .json file has no text \"caption\"");
  }
  return caption->as_string();
}

std::optional<std::string> first_text(const Json& json) {
  constexpr std::array keys{"vila_caption", "gemini_v2_caption", "caption", "text"};
  for (const char* key : keys) {
    const Json* value = json.find(key);
    if (value != nullptr && value->is_string()) return value->as_string();
  }
  for (const auto& [key, value] : json.as_object()) {
    if (value.is_string()) return value.as_string();
  }
  return std::nullopt;
}

std::string caption_of_jsonl(const std::string& path) {
  for (const std::string& line : split(read_file(path, longest_file), '\n')) {
    if (trim(line).empty()) continue;
    try {
      const Json json = Json::parse(line, path);
      if (!json.is_object()) continue;
      if (const auto text = first_text(json)) return *text;
      break;
    } catch (const DataError&) {
      // The first valid line counts; others may be anything.
    }
  }
  throw Reject("malformed_caption", "the .jsonl file has no line with a text");
}

}  // namespace

std::string read_caption(const std::string& video) {
  for (const auto& [extension, read] :
       {std::pair(".json", &caption_of_json), std::pair(".jsonl", &caption_of_jsonl)}) {
    const std::string path = sidecar(video, extension);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    try {
      return checked(read(path));
    } catch (const Error&) {
      throw Reject("malformed_caption", cat("the ", extension, " file cannot be read as JSON"));
    }
  }
  throw Reject("missing_caption", "no .json and no .jsonl file of its name lies beside it");
}

}  // namespace wan
