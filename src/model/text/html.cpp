#include "model/text/html.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "model/text/unicode.hpp"

namespace wan::html {
namespace {

struct Entity {
  std::string_view name;
  char32_t first;
  char32_t second;  // 0 if the entity is one character
  bool bare;        // also recognised without its semicolon
};

/// HTML5's 2,125 named references, ordered by name.
constexpr Entity entities[] = {
#include "model/text/html_entities.inc"
};
constexpr std::size_t longest_bare_name = 6;
constexpr std::size_t shortest_bare_name = 2;

std::string ascii(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) out.push_back(c < 0x80 ? static_cast<char>(c) : '?');
  return out;
}

const Entity* find(std::string_view name) {
  const auto* at =
      std::lower_bound(std::begin(entities), std::end(entities), name,
                       [](const Entity& entity, std::string_view wanted) { return entity.name < wanted; });
  return at != std::end(entities) && at->name == name ? at : nullptr;
}

/// The longest name that needs no semicolon and that `name` starts with.
const Entity* find_bare_prefix(std::string_view name) {
  for (std::size_t length = std::min(name.size(), longest_bare_name); length >= shortest_bare_name;
       --length) {
    const Entity* entity = find(name.substr(0, length));
    if (entity != nullptr && entity->bare) return entity;
  }
  return nullptr;
}

std::u32string value_of(const Entity& entity) {
  std::u32string out(1, entity.first);
  if (entity.second != 0) out.push_back(entity.second);
  return out;
}

bool is_digit(char32_t c) {
  return c >= U'0' && c <= U'9';
}

int hex_value(char32_t c) {
  if (is_digit(c)) return static_cast<int>(c - U'0');
  if (c >= U'a' && c <= U'f') return static_cast<int>(c - U'a') + 10;
  if (c >= U'A' && c <= U'F') return static_cast<int>(c - U'A') + 10;
  return -1;
}

bool is_alphanumeric(char32_t c) {
  return is_digit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}

/// A reference that was recognised: its value and the number of characters that it takes, '&' included.
struct Match {
  std::u32string value;
  std::size_t length;
};

std::u32string numeric_value(char32_t number) {
  if (number == 0 || unicode::is_surrogate(number) || number > 0x10FFFF) return {unicode::replacement};
  if (number >= 0x80 && number <= 0x9F) return {unicode::from_windows_1252(number)};
  const bool control =
      number < 0x20 && number != U'\t' && number != U'\n' && number != U'\f' && number != U'\r';
  const bool noncharacter = (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFE) == 0xFFFE;
  if (control || number == 0x7F || noncharacter) return {};
  return {number};
}

/// `text` starts with "&#".
std::optional<Match> match_numeric(std::u32string_view text) {
  const bool hex = text.size() > 2 && (text[2] == U'x' || text[2] == U'X');
  const std::size_t begin = hex ? 3 : 2;
  const char32_t base = hex ? 16 : 10;
  std::size_t end = begin;
  char32_t number = 0;
  while (end < text.size() && (hex ? hex_value(text[end]) >= 0 : is_digit(text[end]))) {
    number = std::min<char32_t>(number * base + static_cast<char32_t>(hex_value(text[end])), 0x110000);
    ++end;
  }
  if (end == begin) return std::nullopt;
  if (end < text.size() && text[end] == U';') ++end;
  return Match{numeric_value(number), end};
}

/// `text` starts with '&' and not with "&#".
std::optional<Match> match_named(std::u32string_view text) {
  constexpr std::size_t longest_run = 32;
  const auto ends_name = [](char32_t c) {
    return c == U'\t' || c == U'\n' || c == U'\f' || c == U' ' || c == U'<' || c == U'&' || c == U'#' ||
           c == U';';
  };
  std::size_t end = 1;
  while (end < text.size() && end <= longest_run && !ends_name(text[end])) ++end;
  const std::string name = ascii(text.substr(1, end - 1));
  if (end < text.size() && text[end] == U';') {
    if (const Entity* entity = find(name)) return Match{value_of(*entity), end + 1};
  }
  if (const Entity* entity = find_bare_prefix(name)) return Match{value_of(*entity), 1 + entity->name.size()};
  return std::nullopt;
}

/// "EACUTE" as É: the upper case of what the lower-case name stands for, unless a browser would already read
/// a name at its start.
std::optional<std::u32string> shouted_entity(std::string_view name) {
  std::string lower;
  for (const char c : name) {
    if (c >= 'a' && c <= 'z') return std::nullopt;
    lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  const Entity* entity = find(lower);
  if (entity == nullptr || find_bare_prefix(name) != nullptr) return std::nullopt;
  return unicode::to_upper(value_of(*entity));
}

/// `text` starts with '&'.
std::optional<Match> match_strict(std::u32string_view text) {
  constexpr std::size_t longest_run = 24;
  const bool numeric = text.size() > 1 && text[1] == U'#';
  const std::size_t begin = numeric ? 2 : 1;
  std::size_t end = begin;
  while (end < text.size() && end - begin < longest_run && is_alphanumeric(text[end])) ++end;
  if (end == begin || end == text.size() || text[end] != U';') return std::nullopt;
  if (numeric) {
    std::optional<Match> match = match_numeric(text.substr(0, end + 1));
    // A reference that leaves a semicolon behind, or stands for one, stays as it is.
    if (!match || match->length != end + 1 || match->value == U";") return std::nullopt;
    return match;
  }
  const std::string name = ascii(text.substr(begin, end - begin));
  if (const Entity* entity = find(name)) return Match{value_of(*entity), end + 1};
  if (std::optional<std::u32string> value = shouted_entity(name)) return Match{*value, end + 1};
  return std::nullopt;
}

template <class Matcher>
std::u32string replace_references(std::u32string_view text, Matcher matcher) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::optional<Match> match = text[at] == U'&' ? matcher(text.substr(at)) : std::nullopt;
    if (match) {
      out += match->value;
      at += match->length;
    } else {
      out.push_back(text[at++]);
    }
  }
  return out;
}

}  // namespace

std::u32string unescape(std::u32string_view text) {
  return replace_references(text, [](std::u32string_view rest) {
    return rest.size() > 1 && rest[1] == U'#' ? match_numeric(rest) : match_named(rest);
  });
}

std::u32string unescape_strict(std::u32string_view text) {
  return replace_references(text, match_strict);
}

}  // namespace wan::html
