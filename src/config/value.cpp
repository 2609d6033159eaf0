#include "config/value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>

#include "base/text.hpp"

namespace wan {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// ASCII only: the system's tolower follows the locale, and a Turkish one turns I into something else.
std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Without a leading plus and without underscores between digits; from_chars knows neither.
std::string number_text(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool grouping =
        text[i] == '_' && i > 0 && i + 1 < text.size() && is_digit(text[i - 1]) && is_digit(text[i + 1]);
    if (grouping || (text[i] == '+' && i == 0)) continue;
    out += text[i];
  }
  return out;
}

template <class Number>
std::optional<Number> parse_number(const Value& value) {
  if (value.quoted || value.is_list) return std::nullopt;
  const std::string text = number_text(value.text);
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

bool reads_back_as_text(const std::string& text) {
  if (text.empty() || text != trim(text)) return false;
  const Value plain{text, false, false, {}};
  if (is_null(plain) || as_bool(plain) || as_real(plain)) return false;
  const std::string_view opening = "-?:,[]{}#&*!|>'\"%@`~=<";
  if (opening.find(text.front()) != std::string_view::npos) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '#' || c == ':' || c == ',') return false;
    if (c == '[' || c == ']' || c == '{' || c == '}') return false;
  }
  return text.find("${") == std::string::npos;
}

std::string quoted_text(const std::string& text) {
  if (reads_back_as_text(text)) return text;
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto code = static_cast<unsigned char>(c);
    if (text.compare(i, 2, "${") == 0) out += "\\\\";  // or reading it would expand it
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (code < 0x20 || code == 0x7f) {
      constexpr std::string_view digits = "0123456789abcdef";
      out += "\\x";
      out += digits[code >> 4];
      out += digits[code & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

bool is_null(const Value& value) {
  if (value.quoted || value.is_list) return false;
  return value.text.empty() || value.text == "~" || lower(value.text) == "null";
}

std::optional<bool> as_bool(const Value& value) {
  if (value.quoted || value.is_list) return std::nullopt;
  const std::string text = lower(value.text);
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  return std::nullopt;
}

std::optional<std::int64_t> as_integer(const Value& value) {
  return parse_number<std::int64_t>(value);
}

std::optional<double> as_real(const Value& value) {
  const std::optional<double> number = parse_number<double>(value);
  if (number && !std::isfinite(*number)) return std::nullopt;
  return number;
}

std::string show(const Value& value) {
  constexpr std::size_t longest = 60;
  std::string out;
  if (value.is_list) {
    for (const Value& item : value.items) {
      if (out.size() > longest) break;
      out += (out.empty() ? "" : ", ") + show(item);
    }
    out = "[" + out + "]";
  } else if (is_null(value)) {
    out = "null";
  } else {
    out = value.text;
    for (char& c : out) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    if (value.quoted) out = "\"" + out + "\"";
  }
  if (out.size() > longest) out = out.substr(0, longest) + "...";
  return out;
}

std::string real_text(double value) {
  std::array<char, 40> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string();
}

std::string yaml_text(const Value& value) {
  if (!value.is_list) return value.quoted ? quoted_text(value.text) : value.text;
  std::vector<std::string> items;
  for (const Value& item : value.items) items.push_back(yaml_text(item));
  return "[" + join(items, ", ") + "]";
}

}  // namespace wan
