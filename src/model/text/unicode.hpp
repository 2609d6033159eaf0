#pragma once
#include <string>
#include <string_view>

/// Text as code points, with the classes and normal forms that Python's str has (ICU's tables underneath).
namespace wan::unicode {

constexpr char32_t replacement = 0xFFFD;

[[nodiscard]] constexpr bool is_surrogate(char32_t c) {
  return c >= 0xD800 && c <= 0xDFFF;
}

/// Decodes UTF-8. Each broken sequence (its maximal valid start) becomes one U+FFFD, as Python's
/// errors="replace" does; a surrogate that was encoded as if it were a character (CESU-8) is kept as that
/// surrogate, as errors="surrogatepass" does.
[[nodiscard]] std::u32string decode_utf8(std::string_view bytes);

/// Encodes as UTF-8; surrogates and values past U+10FFFF become U+FFFD.
[[nodiscard]] std::string encode_utf8(std::u32string_view text);

/// True where Python's str.isspace() is true of a single character.
[[nodiscard]] bool is_space(char32_t c);

/// True for general category Nd, which is what `\d` matches in a Python str pattern.
[[nodiscard]] bool is_decimal_digit(char32_t c);

/// What browsers read for a C1 control, U+0080..U+009F: that byte of Windows-1252. The five bytes which
/// Windows-1252 leaves undefined, and every other character, stay as they are.
[[nodiscard]] char32_t from_windows_1252(char32_t c);

/// Normal form C. `text` holds no surrogates.
[[nodiscard]] std::u32string nfc(std::u32string_view text);

/// Normal form KC. `text` holds no surrogates.
[[nodiscard]] std::u32string nfkc(std::u32string_view text);

/// Full upper-case mapping without locale ("ß" becomes "SS").
[[nodiscard]] std::u32string to_upper(std::u32string_view text);

}  // namespace wan::unicode
