#include "model/text/unicode.hpp"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <array>
#include <cstdint>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::unicode {
namespace {

/// Well-formed sequences by first byte (Unicode 15, table 3-7), with second bytes of ED left open for
/// surrogates.
struct Lead {
  int length;  // 0: no character starts with this byte
  unsigned char second_low;
  unsigned char second_high;
  unsigned bits;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0, byte};
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF, byte & 0x1FU};
  if (byte == 0xE0) return {3, 0xA0, 0xBF, byte & 0x0FU};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF, byte & 0x0FU};
  if (byte == 0xF0) return {4, 0x90, 0xBF, byte & 0x07U};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF, byte & 0x07U};
  if (byte == 0xF4) return {4, 0x80, 0x8F, byte & 0x07U};
  return {0, 0, 0, 0};
}

icu::UnicodeString to_icu(std::u32string_view text) {
  static_assert(sizeof(char32_t) == sizeof(UChar32));
  return icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()),
                                       static_cast<std::int32_t>(text.size()));
}

std::u32string from_icu(const icu::UnicodeString& text) {
  std::u32string out;
  for (std::int32_t at = 0; at < text.length(); at = text.moveIndex32(at, 1)) {
    out.push_back(static_cast<char32_t>(text.char32At(at)));
  }
  return out;
}

void check(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) throw InternalError(cat("ICU ", what, ": ", u_errorName(status)));
}

using Instance = const icu::Normalizer2* (*)(UErrorCode&);

std::u32string normalized(std::u32string_view text, Instance instance) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form = instance(status);
  check(status, "normaliser");
  const icu::UnicodeString out = form->normalize(to_icu(text), status);
  check(status, "normalise");
  return from_icu(out);
}

}  // namespace

std::u32string decode_utf8(std::string_view bytes) {
  std::u32string out;
  out.reserve(bytes.size());
  std::size_t at = 0;
  while (at < bytes.size()) {
    const Lead lead = lead_of(static_cast<unsigned char>(bytes[at]));
    ++at;
    if (lead.length == 0) {
      out.push_back(replacement);
      continue;
    }
    char32_t c = lead.bits;
    int left = lead.length - 1;
    for (bool second = true; left > 0 && at < bytes.size(); --left, ++at, second = false) {
      const auto next = static_cast<unsigned char>(bytes[at]);
      if (next < (second ? lead.second_low : 0x80) || next > (second ? lead.second_high : 0xBF)) break;
      c = (c << 6) | (next & 0x3FU);
    }
    out.push_back(left == 0 ? c : replacement);
  }
  return out;
}

std::string encode_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto tail = [&](char32_t c, int shift) {
    out.push_back(static_cast<char>(0x80U | ((c >> shift) & 0x3FU)));
  };
  for (char32_t c : text) {
    if (is_surrogate(c) || c > 0x10FFFF) c = replacement;
    if (c < 0x80) {
      out.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
      out.push_back(static_cast<char>(0xC0U | (c >> 6)));
      tail(c, 0);
    } else if (c < 0x10000) {
      out.push_back(static_cast<char>(0xE0U | (c >> 12)));
      tail(c, 6);
      tail(c, 0);
    } else {
      out.push_back(static_cast<char>(0xF0U | (c >> 18)));
      tail(c, 12);
      tail(c, 6);
      tail(c, 0);
    }
  }
  return out;
}

bool is_space(char32_t c) {
  if (c <= 0x20) return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
  if (c >= 0x2000 && c <= 0x200A) return true;
  for (const char32_t other : {0x85U, 0xA0U, 0x1680U, 0x2028U, 0x2029U, 0x202FU, 0x205FU, 0x3000U}) {
    if (c == other) return true;
  }
  return false;
}

bool is_decimal_digit(char32_t c) {
  return u_charType(static_cast<UChar32>(c)) == U_DECIMAL_DIGIT_NUMBER;
}

char32_t from_windows_1252(char32_t c) {
  constexpr std::array<char32_t, 32> upper = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                              0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                              0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                              0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  return c >= 0x80 && c <= 0x9F ? upper[c - 0x80] : c;
}

std::u32string nfc(std::u32string_view text) {
  return normalized(text, &icu::Normalizer2::getNFCInstance);
}

std::u32string nfkc(std::u32string_view text) {
  return normalized(text, &icu::Normalizer2::getNFKCInstance);
}

std::u32string to_upper(std::u32string_view text) {
  return from_icu(to_icu(text).toUpper(icu::Locale::getRoot()));
}

}  // namespace wan::unicode
