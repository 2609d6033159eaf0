#include "model/text/fix_text.hpp"

#include <algorithm>
#include <array>

#include "model/text/html.hpp"
#include "model/text/unicode.hpp"

namespace wan {
namespace {

struct Ligature {
  char32_t letter;
  std::u32string_view parts;
};

constexpr std::array<Ligature, 22> ligatures = {{
    {U'\u0132', U"IJ"},      {U'\u0133', U"ij"},      {U'\u0149', U"\u02BCn"}, {U'\u01C4', U"D\u017D"},
    {U'\u01C5', U"D\u017E"}, {U'\u01C6', U"d\u017E"}, {U'\u01C7', U"LJ"},      {U'\u01C8', U"Lj"},
    {U'\u01C9', U"lj"},      {U'\u01CA', U"NJ"},      {U'\u01CB', U"Nj"},      {U'\u01CC', U"nj"},
    {U'\u01F1', U"DZ"},      {U'\u01F2', U"Dz"},      {U'\u01F3', U"dz"},      {U'\uFB00', U"ff"},
    {U'\uFB01', U"fi"},      {U'\uFB02', U"fl"},      {U'\uFB03', U"ffi"},     {U'\uFB04', U"ffl"},
    {U'\uFB05', U"\u017Ft"}, {U'\uFB06', U"st"},
}};

/// A new text in which `replace(c, out)` wrote what stands for each character c.
template <class Replace>
std::u32string translate(std::u32string_view text, Replace replace) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) replace(c, out);
  return out;
}

void fix_c1_control(char32_t c, std::u32string& out) {
  out.push_back(unicode::from_windows_1252(c));
}

void split_ligature(char32_t c, std::u32string& out) {
  const auto* found =
      std::find_if(ligatures.begin(), ligatures.end(), [c](const Ligature& one) { return one.letter == c; });
  if (found == ligatures.end()) {
    out.push_back(c);
  } else {
    out += found->parts;
  }
}

void fix_width(char32_t c, std::u32string& out) {
  if (c == 0x3000) {
    out.push_back(U' ');
  } else if (c >= 0xFF01 && c <= 0xFFEF) {
    out += unicode::nfkc(std::u32string_view(&c, 1));
  } else {
    out.push_back(c);
  }
}

void uncurl_quote(char32_t c, std::u32string& out) {
  if (c == 0x02BC || (c >= 0x2018 && c <= 0x201B)) {
    c = U'\'';
  } else if (c >= 0x201C && c <= 0x201F) {
    c = U'"';
  }
  out.push_back(c);
}

bool is_unwanted_control(char32_t c) {
  return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || (c >= 0x206A && c <= 0x206F) ||
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

void drop_control(char32_t c, std::u32string& out) {
  if (!is_unwanted_control(c)) out.push_back(c);
}

std::u32string fix_line_breaks(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char32_t c = text[at];
    if (c == U'\r' && at + 1 < text.size() && text[at + 1] == U'\n') continue;
    out.push_back(c == U'\r' || c == 0x2028 || c == 0x2029 || c == 0x85 ? U'\n' : c);
  }
  return out;
}

std::u32string join_surrogates(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char32_t c = text[at];
    if (!unicode::is_surrogate(c)) {
      out.push_back(c);
      continue;
    }
    const char32_t next = at + 1 < text.size() ? text[at + 1] : 0;
    if (c < 0xDC00 && next >= 0xDC00 && next <= 0xDFFF) {
      out.push_back(0x10000 + ((c - 0xD800) << 10) + (next - 0xDC00));
      ++at;
    } else {
      out.push_back(unicode::replacement);
    }
  }
  return out;
}

/// Drops ESC [ digits-and-semicolons letter.
std::u32string remove_terminal_escapes(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == 0x1B && at + 1 < text.size() && text[at + 1] == U'[') {
      std::size_t end = at + 2;
      while (end < text.size() && (text[end] == U';' || unicode::is_decimal_digit(text[end]))) ++end;
      const char32_t last = end < text.size() ? text[end] : 0;
      if ((last >= U'a' && last <= U'z') || (last >= U'A' && last <= U'Z')) {
        at = end + 1;
        continue;
      }
    }
    out.push_back(text[at++]);
  }
  return out;
}

std::u32string fix_once(std::u32string text, bool unescape) {
  if (unescape) text = html::unescape_strict(text);
  text = translate(text, fix_c1_control);
  text = translate(text, split_ligature);
  text = translate(text, fix_width);
  text = translate(text, uncurl_quote);
  text = fix_line_breaks(text);
  text = join_surrogates(text);
  text = remove_terminal_escapes(text);
  text = translate(text, drop_control);
  return unicode::nfc(text);
}

std::u32string fix_line(std::u32string_view line, bool unescape) {
  constexpr int most_rounds = 100;
  std::u32string text(line);
  for (int round = 0; round < most_rounds; ++round) {
    std::u32string fixed = fix_once(text, unescape);
    if (fixed == text) break;
    text = std::move(fixed);
  }
  return text;
}

}  // namespace

std::u32string fix_text(std::u32string_view text) {
  constexpr std::size_t longest_segment = 1'000'000;
  std::u32string out;
  bool unescape = true;
  while (!text.empty()) {
    const std::size_t line_break = text.find(U'\n');
    const std::size_t line_length = line_break == std::u32string_view::npos ? text.size() : line_break + 1;
    const std::u32string_view line = text.substr(0, std::min(line_length, longest_segment));
    if (line.find(U'<') != std::u32string_view::npos) unescape = false;
    out += fix_line(line, unescape);
    text.remove_prefix(line.size());
  }
  return out;
}

}  // namespace wan
