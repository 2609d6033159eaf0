#include "prep/caption.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "prep/reject.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

class Caption : public ::testing::Test {
 protected:
  std::string read(const std::string& extension, const std::string& text) {
    write_file_atomically(folder_ / ("v" + extension), text);
    return read_caption(folder_ / "v.mp4");
  }
  std::string reason(const std::string& extension, const std::string& text) {
    try {
      return "no reject: " + read(extension, text);
    } catch (const Reject& reject) {
      return reject.reason;
    }
  }
  test::TemporaryFolder folder_;
};

TEST_F(Caption, OfJson) {
  EXPECT_EQ(read(".json", R"({"fps": 3, "caption": "a \u00e9 b"})"), "a é b");
  EXPECT_EQ(read(".json", R"({"caption": ""})"), "");
  EXPECT_EQ(reason(".json", R"({"text": "other key"})"), "malformed_caption");
  EXPECT_EQ(reason(".json", R"({"caption": ["a"]})"), "malformed_caption");
  EXPECT_EQ(reason(".json", ""), "malformed_caption");
  EXPECT_EQ(reason(".json", "{\"caption\": \"\xff\xfe\"}"), "malformed_caption");
  EXPECT_EQ(reason(".json", "{\"caption\": \"" + std::string(100000, 'x') + "\"}"), "malformed_caption");
}

TEST_F(Caption, OfJsonLinesByTheOrderOfKeys) {
  EXPECT_EQ(read(".jsonl", R"({"text": "t", "caption": "c", "gemini_v2_caption": "g", "vila_caption": "v"})"),
            "v");
  EXPECT_EQ(read(".jsonl", R"({"text": "t", "caption": "c", "gemini_v2_caption": "g"})"), "g");
  EXPECT_EQ(read(".jsonl", R"({"text": "t", "caption": "c"})"), "c");
  EXPECT_EQ(read(".jsonl", R"({"size": 4, "text": "t"})"), "t");
  EXPECT_EQ(read(".jsonl", R"({"size": 4, "other": "o", "more": "m"})"), "o");
  EXPECT_EQ(read(".jsonl", "\nnot json\n[1, 2]\n{\"caption\": \"third\"}\n{\"caption\": \"later\"}"),
            "third");
  EXPECT_EQ(read(".jsonl", R"({"caption": 7, "text": "t"})"), "t");
  EXPECT_EQ(reason(".jsonl", "\n\n"), "malformed_caption");
  EXPECT_EQ(reason(".jsonl", "{\"n\": 1}\n{\"caption\": \"second line\"}"), "malformed_caption");
}

TEST_F(Caption, JsonGoesBeforeJsonLinesAndNothingIsMissing) {
  EXPECT_THROW((void)read_caption(folder_ / "none.mp4"), Reject);
  EXPECT_EQ(reason(".txt", "a text"), "missing_caption");
  write_file_atomically(folder_ / "v.jsonl", R"({"caption": "lines"})");
  EXPECT_EQ(read(".json", R"({"caption": "object"})"), "object");
}

TEST(RejectText, NamesNoPlaceOnThisMachine) {
  EXPECT_EQ(reject_text("truncated", "/data/v.mp4: truncated: ends early", "/data/v.mp4"),
            "truncated: ends early");
  EXPECT_EQ(reject_text("truncated", "ends early", "/data/v.mp4"), "truncated: ends early");
}

}  // namespace
}  // namespace wan
