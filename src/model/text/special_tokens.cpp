#include "model/text/special_tokens.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

using IdOf = std::function<std::int32_t(const std::string&)>;

void add(std::vector<SpecialToken>& special, SpecialToken token) {
  const bool known = std::any_of(special.begin(), special.end(),
                                 [&](const SpecialToken& other) { return other.content == token.content; });
  if (!known && !token.content.empty()) special.push_back(std::move(token));
}

std::int32_t checked_id(std::int64_t id) {
  if (id < 0 || id > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ExitCode::data, cat("token id ", id, " is outside 0..2147483647"));
  }
  return static_cast<std::int32_t>(id);
}

bool flag(const Json& token, std::string_view key) {
  const Json* value = token.find(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

SpecialToken token_from(const Json& entry, std::int64_t id) {
  return {entry.at("content").as_string(), checked_id(id), flag(entry, "lstrip"), flag(entry, "rstrip")};
}

TokenizerSettings from_tokenizer_json(const Json& root) {
  TokenizerSettings settings;
  const Json& model = root.at("model");
  if (const std::string& type = model.at("type").as_string(); type != "Unigram") {
    throw Error(ExitCode::data, "model.type is '" + type + "', T5 and UMT5 have 'Unigram'");
  }
  settings.byte_fallback = flag(model, "byte_fallback");
  if (const Json* added = root.find("added_tokens")) {
    for (const Json& entry : added->as_array()) {
      add(settings.special, token_from(entry, entry.at("id").as_integer()));
    }
  }
  return settings;
}

/// A token is given by name, or as an object with its name under "content".
std::string name_of(const Json& value) {
  if (value.is_null()) return {};
  return value.is_object() ? value.at("content").as_string() : value.as_string();
}

std::int64_t number_from_key(const std::string& key) {
  if (key.empty() || key.size() > 10 || key.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(ExitCode::data, "added_tokens_decoder: '" + key + "' is no token id");
  }
  return std::stoll(key);
}

TokenizerSettings from_config(const Json& root, std::int32_t pieces, const IdOf& id_of) {
  TokenizerSettings settings;
  if (const Json* decoder = root.find("added_tokens_decoder")) {
    for (const auto& [key, entry] : decoder->as_object()) {
      add(settings.special, token_from(entry, number_from_key(key)));
    }
  }
  const auto add_piece = [&](const Json& value) {
    const std::string name = name_of(value);
    if (const std::int32_t id = id_of(name); id >= 0) add(settings.special, {name, id, false, false});
  };
  for (const char* key : {"eos_token", "pad_token", "unk_token"}) {
    if (const Json* value = root.find(key)) add_piece(*value);
  }
  if (const Json* more = root.find("additional_special_tokens"); more != nullptr && more->is_array()) {
    for (const Json& value : more->as_array()) add_piece(value);
  }
  if (const Json* extra = root.find("extra_ids")) {
    const std::int64_t count = extra->as_integer();
    if (count < 0 || count > 100'000)
      throw Error(ExitCode::data, cat("extra_ids is ", count, ", allowed 0..100000"));
    for (std::int64_t i = 0; i < count; ++i) {
      add(settings.special, {cat("<extra_id_", i, ">"), checked_id(pieces + count - 1 - i), false, false});
    }
  }
  return settings;
}

bool is_white(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

TokenizerSettings read_tokenizer_settings(const std::string& tokenizer_folder, std::int32_t pieces,
                                          const IdOf& id_of) {
  const std::string whole = tokenizer_folder + "/tokenizer.json";
  const std::string config = tokenizer_folder + "/tokenizer_config.json";
  const bool has_whole = std::filesystem::exists(whole);
  const bool has_config = std::filesystem::exists(config);
  try {
    if (has_whole) return from_tokenizer_json(Json::parse_file(whole));
    if (has_config) return from_config(Json::parse_file(config), pieces, id_of);
  } catch (const DataError&) {
    throw;
  } catch (const Error& error) {
    throw DataError(has_whole ? whole : config, error.what());
  }
  const Json usual =
      Json(Json::Object{{"eos_token", "</s>"}, {"pad_token", "<pad>"}, {"unk_token", "<unk>"}});
  return from_config(usual, pieces, id_of);
}

std::vector<TextPart> split_at_special_tokens(std::string_view text,
                                              const std::vector<SpecialToken>& special) {
  std::vector<TextPart> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const SpecialToken* best = nullptr;
    for (const SpecialToken& token : special) {
      if (text.compare(at, token.content.size(), token.content) != 0) continue;
      if (best == nullptr || token.content.size() > best->content.size()) best = &token;
    }
    if (best == nullptr) {
      ++at;
      continue;
    }
    std::size_t first = at;
    std::size_t end = at + best->content.size();
    while (best->strips_left && first > begin && is_white(text[first - 1])) --first;
    while (best->strips_right && end < text.size() && is_white(text[end])) ++end;
    if (first > begin) parts.push_back({text.substr(begin, first - begin), nullptr});
    parts.push_back({text.substr(first, end - first), best});
    begin = at = end;
  }
  if (begin < text.size()) parts.push_back({text.substr(begin), nullptr});
  return parts;
}

}  // namespace wan
