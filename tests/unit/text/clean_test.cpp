#include "model/text/clean.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/json.hpp"
#include "model/text/unicode.hpp"

namespace wan {
namespace {

// clean_cases.json was written by make_clean_cases.py beside it: ftfy 6.3.1 (without mojibake repair) and
// Python's own html module on hand-picked and random texts.
TEST(clean_prompt, equals_the_reference_on_recorded_cases) {
  const Json cases = Json::parse_file(WAN_SOURCE_DIR "/tests/unit/text/clean_cases.json");
  ASSERT_GT(cases.as_array().size(), 500U);
  for (const Json& one : cases.as_array()) {
    EXPECT_EQ(clean_prompt(one.as_array().at(0).as_string()), one.as_array().at(1).as_string())
        << one.as_array().at(0).dump();
  }
}

TEST(clean_prompt, joins_surrogates_that_were_encoded_one_by_one) {
  EXPECT_EQ(clean_prompt("\xED\xA0\xBD\xED\xB8\x80"), "\xF0\x9F\x98\x80");
  EXPECT_EQ(clean_prompt("a\xED\xA0\xBD"
                         "b"),
            "a\xEF\xBF\xBD"
            "b");
}

// Expected values: bytes.decode("utf-8", errors="replace") of Python.
TEST(decode_utf8, replaces_broken_sequences_as_python_does) {
  struct Case {
    std::string bytes;
    std::u32string text;
  };
  const Case cases[] = {
      {"\xFF", U"\uFFFD"},
      {"\x80\x80", U"\uFFFD\uFFFD"},
      {"\xC3", U"\uFFFD"},
      {"\xC3(", U"\uFFFD("},
      {"\xE2\x82", U"\uFFFD"},
      {"\xE2\x82x", U"\uFFFDx"},
      {"\xF0\x9F\x8E", U"\uFFFD"},
      {"\xF0\x9F\x8E\xC3\xA9", U"\uFFFD\u00E9"},
      {"\xC0\xAF", U"\uFFFD\uFFFD"},
      {"\xE0\x80\xAF", U"\uFFFD\uFFFD\uFFFD"},
      {"\xF4\x90\x80\x80", U"\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"\xF8\x88\x80\x80\x80", U"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"},
  };
  for (const Case& one : cases) EXPECT_EQ(unicode::decode_utf8(one.bytes), one.text) << one.bytes;
}

TEST(decode_utf8, round_trips_every_character) {
  std::u32string all;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (!unicode::is_surrogate(c)) all.push_back(c);
  }
  EXPECT_EQ(unicode::decode_utf8(unicode::encode_utf8(all)), all);
}

TEST(clean_prompt, takes_any_bytes_and_leaves_single_spaces) {
  std::mt19937 random(1);
  const std::string likely = "&#;<x1a[ \n\x1b\xE2\x80\xA8\xED\xA0\xBD";
  for (int repeat = 0; repeat < 20000; ++repeat) {
    std::string bytes(random() % 24, ' ');
    for (char& c : bytes)
      c = random() % 2 == 0 ? likely[random() % likely.size()] : static_cast<char>(random() % 256);
    const std::string clean = clean_prompt(bytes);
    EXPECT_EQ(unicode::encode_utf8(unicode::decode_utf8(clean)), clean);
    EXPECT_EQ(clean.find("  "), std::string::npos);
    EXPECT_TRUE(clean.empty() || (clean.front() != ' ' && clean.back() != ' '));
  }
}

TEST(clean_prompt, bounds_the_work_on_text_escaped_without_end) {
  std::string nested = "&";
  for (int level = 0; level < 5000; ++level) nested += "amp;";
  EXPECT_LT(clean_prompt(nested).size(), nested.size());
}

}  // namespace
}  // namespace wan
