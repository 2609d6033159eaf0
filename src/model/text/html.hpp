#pragma once
#include <string>
#include <string_view>

/// Character references of HTML5 turned into the characters that they stand for.
namespace wan::html {

/// Python's html.unescape: numeric references by HTML5's rules (Windows-1252 for 128..159, U+FFFD for
/// surrogates and values past U+10FFFF, nothing for control characters), names with or without semicolon, the
/// longest name winning.
[[nodiscard]] std::u32string unescape(std::u32string_view text);

/// ftfy's unescape_html: only references that end in a semicolon, and upper-case spellings such as "&EACUTE;"
/// of names that HTML knows in lower case alone.
[[nodiscard]] std::u32string unescape_strict(std::u32string_view text);

}  // namespace wan::html
