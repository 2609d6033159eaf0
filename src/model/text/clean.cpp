#include "model/text/clean.hpp"

#include "model/text/fix_text.hpp"
#include "model/text/html.hpp"
#include "model/text/unicode.hpp"

namespace wan {
namespace {

std::u32string collapse_white_space(std::u32string_view text) {
  std::u32string out;
  bool pending = false;
  for (const char32_t c : text) {
    if (unicode::is_space(c)) {
      pending = !out.empty();
      continue;
    }
    if (pending) out.push_back(U' ');
    pending = false;
    out.push_back(c);
  }
  return out;
}

}  // namespace

std::string clean_prompt(std::string_view utf8) {
  const std::u32string fixed = fix_text(unicode::decode_utf8(utf8));
  return unicode::encode_utf8(collapse_white_space(html::unescape(html::unescape(fixed))));
}

}  // namespace wan
