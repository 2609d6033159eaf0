#include "sample/prompt_list.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

SampleOptions with_file(const test::TemporaryFolder& folder, const std::string& content) {
  SampleOptions options;
  options.prompts_file = folder / "prompts";
  write_file_atomically(*options.prompts_file, content);
  options.sizes = {{64, 48}};
  options.frame_nums = {17};
  options.negative_prompt = "blurred";
  return options;
}

TEST(prompt_list, a_line_is_a_prompt) {
  const test::TemporaryFolder folder;
  const auto videos = video_requests(with_file(folder, "a red fox\n\n  a blue sea  \n"), 40, std::nullopt);
  ASSERT_EQ(videos.size(), 2U);
  EXPECT_EQ(videos[1].prompt, "a blue sea");
  EXPECT_EQ(videos[1].negative_prompt, "blurred");
  EXPECT_EQ(videos[1].seed, 41U);
  EXPECT_EQ(videos[1].size, (FrameSize{64, 48}));
  EXPECT_EQ(videos[1].frames, 17);
}

TEST(prompt_list, json_says_more_as_a_list_or_line_by_line) {
  const std::string entry =
      R"({"prompt": "x", "seed": 7, "size": "32*64", "frames": 5, "negative_prompt": "y"})";
  const test::TemporaryFolder folder;
  for (const std::string& content :
       {"[{\"prompt\": \"first\"},\n" + entry + "]", "{\"prompt\": \"first\"}\n" + entry}) {
    const auto videos = video_requests(with_file(folder, content), 0, std::nullopt);
    ASSERT_EQ(videos.size(), 2U);
    EXPECT_EQ(videos[0].prompt, "first");
    EXPECT_EQ(videos[1].seed, 7U);
    EXPECT_EQ(videos[1].size, (FrameSize{32, 64}));
    EXPECT_EQ(videos[1].frames, 5);
    EXPECT_EQ(videos[1].negative_prompt, "y");
  }
}

TEST(prompt_list, files_of_other_systems_read_the_same) {
  const test::TemporaryFolder folder;
  for (const char* content :
       {"\xEF\xBB\xBFred fox\r\n{\"prompt\": \"sea\"}\r\n", "red fox\n{\"prompt\": \"sea\"}"}) {
    const auto videos = video_requests(with_file(folder, content), 0, std::nullopt);
    ASSERT_EQ(videos.size(), 2U);
    EXPECT_EQ(videos[0].prompt, "red fox");
    EXPECT_EQ(videos[1].prompt, "sea");
  }
}

TEST(prompt_list, a_complaint_names_file_place_and_what_is_allowed) {
  const test::TemporaryFolder folder;
  struct Wrong {
    std::string content;
    std::vector<std::string> said;
  };
  const std::vector<Wrong> cases = {
      {"fine\n\n{\"prompt\": \"x\", \"seed\": -7}",
       {"prompts, line 3", "seed", "-7", "allowed: a whole number >= 0"}},
      {"[{\"prompt\": \"x\"}, {\"prompt\": \"y\", \"frames\": 80}]", {"prompts, entry 2", "80", "4n + 1"}},
      {"{\"prompt\": \"x\", \"size\": \"480\"}", {"prompts, line 1", "'480'", "height*width"}},
      {"x\n" + std::string(70000, 'y'), {"prompts, line 2", "70000 bytes", "allowed: 65536"}},
      {std::string("x\0y", 3), {"prompts, line 1", "zero byte"}},
      {"a \xc3( b", {"prompts, line 1", "not UTF-8"}},
  };
  for (const Wrong& wrong : cases) {
    try {
      (void)video_requests(with_file(folder, wrong.content), 0, std::nullopt);
      ADD_FAILURE() << wrong.content;
    } catch (const DataError& error) {
      for (const std::string& word : wrong.said) {
        EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
      }
    }
  }
}

TEST(prompt_list, what_is_wrong_is_refused) {
  const test::TemporaryFolder folder;
  for (const char* content : {"",
                              "[]",
                              "[{\"seed\": 1}]",
                              "[{\"prompt\": \"x\", \"sed\": 1}]",
                              "[{\"prompt\": 3}]",
                              "[{\"prompt\": \"x\", \"frames\": \"5\"}]",
                              "[1]",
                              "{\"prompt\": ",
                              R"([{"prompt": "x", "frames": 6}])",
                              R"([{"prompt": "x", "size": "20*64"}])",
                              R"([{"prompt": "x", "size": 64}])",
                              R"([{"prompt": "x", "seed": -1}])",
                              R"([{"prompt": "x", "seed": 1.5}])",
                              R"([{"prompt": "x", "seed": 18446744073709551615}])",
                              R"([{"prompt": "x", "frames": -3}])",
                              R"([{"prompt": "x", "frames": 4611686018427387905}])",
                              R"([{"prompt": "x", "prompt": "y"}])",
                              "\xff\xfe",
                              "a \xc3 b",
                              "[{\"prompt\": \"\xff\"}]",
                              "\xEF\xBB\xBF",
                              "\r\n\r\n"}) {
    EXPECT_THROW((void)video_requests(with_file(folder, content), 0, std::nullopt), DataError) << content;
  }
  SampleOptions no_size = with_file(folder, "x");
  no_size.sizes.clear();
  EXPECT_THROW((void)video_requests(no_size, 0, std::nullopt), UsageError);
  EXPECT_EQ(video_requests(no_size, 0, FrameSize{32, 32}).front().size, (FrameSize{32, 32}));
}

}  // namespace
}  // namespace wan
