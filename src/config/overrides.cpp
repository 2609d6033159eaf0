#include "config/overrides.hpp"

#include <cstddef>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

namespace {

constexpr int deepest_list = 16;

class ValueParser {
 public:
  ValueParser(std::string_view text, const std::string& token) : text_(text), token_(token) {}

  Value parse() {
    Value out = value(0, false);
    skip_blanks();
    if (at_ != text_.size()) fail(cat("'", text_.substr(at_, 20), "' after the end of the value"));
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw UsageError("override '" + token_.substr(0, 120) + "': " + what);
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  Value value(int depth, bool in_list) {
    skip_blanks();
    if (at_ == text_.size()) {
      if (in_list) fail("a list without its ']'");
      return {"", true, false, {}};
    }
    const char first = text_[at_];
    if (first == '{') fail("a mapping; set its keys one by one, a.b=c");
    if (first == '\'' || first == '"') return quoted(first);
    if (first == '[') return list(depth);
    return plain(in_list);
  }

  Value quoted(char quote) {
    Value out{"", true, false, {}};
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      const bool escape =
          text_[at_] == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == quote || text_[at_ + 1] == '\\');
      if (escape) ++at_;
      out.text += text_[at_];
    }
    if (at_ == text_.size()) fail(cat("a text without its closing ", quote));
    ++at_;
    return out;
  }

  Value list(int depth) {
    if (depth >= deepest_list) fail("lists nested deeper than 16");
    Value out{"", false, true, {}};
    ++at_;
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == ']') {
      ++at_;
      return out;
    }
    for (;;) {
      out.items.push_back(value(depth + 1, true));
      skip_blanks();
      if (at_ == text_.size()) fail("a list without its ']'");
      const char next = text_[at_++];
      if (next == ']') return out;
      if (next != ',') fail(cat("'", next, "' in a list; items are separated by commas"));
    }
  }

  Value plain(bool in_list) {
    std::size_t end = text_.size();
    if (in_list) end = std::min(end, text_.find_first_of(",]", at_));
    const std::string_view text = trim(text_.substr(at_, end - at_));
    at_ = end;
    return {std::string(text), false, false, {}};
  }

  std::string_view text_;
  const std::string& token_;
  std::size_t at_ = 0;
};

Setting parse_override(const std::string& token) {
  std::string_view rest = token;
  const bool reset = !rest.empty() && rest.front() == '~';
  if (reset) {
    rest.remove_prefix(1);
  } else {
    for (int plus = 0; plus < 2 && !rest.empty() && rest.front() == '+'; ++plus) rest.remove_prefix(1);
  }
  const std::size_t equals = rest.find('=');
  const std::string key(trim(rest.substr(0, equals)));
  if (key.empty() || key.size() > 200 || (equals == std::string_view::npos && !reset)) {
    throw UsageError("found '" + token.substr(0, 120) +
                     "', allowed: flags (--help lists them) and overrides a.b=c");
  }
  Setting out{key, {}, "command line", reset};
  if (!reset) out.value = ValueParser(rest.substr(equals + 1), token).parse();
  return out;
}

}  // namespace

std::vector<Setting> parse_overrides(const std::vector<std::string>& tokens) {
  std::vector<Setting> out;
  out.reserve(tokens.size());
  for (const std::string& token : tokens) out.push_back(parse_override(token));
  return out;
}

}  // namespace wan
