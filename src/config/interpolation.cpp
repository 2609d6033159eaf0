#include "config/interpolation.hpp"

#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

namespace {

constexpr int deepest = 8;
constexpr std::string_view resolver = "oc.env:";

class Interpolation {
 public:
  Interpolation(const std::string& key, const std::string& where) : key_(key), where_(where) {}

  std::string expand(std::string_view text, int depth) const {
    if (depth > deepest) fail("interpolations nested deeper than 8");
    std::string out;
    while (!text.empty()) {
      const std::size_t start = text.find("${");
      out += text.substr(0, start);
      if (start == std::string_view::npos) break;
      if (start > 0 && text[start - 1] == '\\') {
        out.back() = '$';
        text.remove_prefix(start + 1);
        continue;
      }
      const std::size_t length = closing(text.substr(start));
      out += resolve(text.substr(start + 2, length - 3), depth);
      text.remove_prefix(start + length);
    }
    return out;
  }

  // Characters of the interpolation that `text` begins with, both braces included.
  std::size_t closing(std::string_view text) const {
    int open = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text.substr(i, 2) == "${") ++open;
      if (text[i] == '}' && --open == 0) return i + 1;
    }
    fail("'${' without its '}'");
  }

 private:
  std::string resolve(std::string_view body, int depth) const {
    if (body.substr(0, resolver.size()) != resolver) {
      fail(cat("found '${", body, "}', allowed: ${oc.env:NAME} and ${oc.env:NAME,default}"));
    }
    body.remove_prefix(resolver.size());
    const std::size_t comma = body.find(',');
    const std::string name(trim(body.substr(0, comma)));
    if (const char* found = std::getenv(name.c_str())) return found;
    if (comma == std::string_view::npos) {
      fail(cat("the environment variable '", name, "' is not set and ${oc.env:", name, "} names no default"));
    }
    return expand(trim(body.substr(comma + 1)), depth + 1);
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw ConfigError(key_, message + " (" + where_ + ")");
  }

  const std::string& key_;
  const std::string& where_;
};

}  // namespace

Value interpolate(const Value& value, const std::string& key, const std::string& where) {
  Value out = value;
  for (Value& item : out.items) item = interpolate(item, key, where);
  if (out.is_list || out.text.find("${") == std::string::npos) return out;
  const Interpolation interpolation(key, where);
  const bool whole = out.text.substr(0, 2) == "${" && interpolation.closing(out.text) == out.text.size();
  out.text = interpolation.expand(out.text, 0);
  if (whole) out.quoted = false;
  return out;
}

}  // namespace wan
