#include "config/command_line.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "config/choices.hpp"
#include "unit/config/failure_of.hpp"

namespace wan {
namespace {

struct Toy {
  bool center_crop = false;
  std::int64_t height = 480;
  std::optional<std::string> dump;
  std::vector<std::string> prompts;
  std::vector<std::int64_t> frames = {81};
  ResizeKind mode = ResizeKind::bilinear;
  std::vector<std::string> rest;
  std::string text;
  std::vector<std::string> notices;
};

Toy parse(const std::vector<std::string>& arguments) {
  Toy toy;
  CommandLine line("toy", "[flags]", "A toy.");
  line.flag("center-crop", toy.center_crop, "crop")
      .flag("height", toy.height, within(-1, 1000), "pixels", "height")
      .flag("dump", toy.dump, "folder")
      .flag("prompts", toy.prompts, "prompts")
      .flag("frame_nums", toy.frames, at_least(1), "frames", "frames")
      .flag("resize_mode", toy.mode, "mode")
      .ignore("offload_model", "nothing to offload")
      .remaining(toy.rest);
  toy.text = line.parse(arguments, toy.notices);
  return toy;
}

std::string failure(const std::vector<std::string>& arguments) {
  return failure_of<UsageError>([&] { (void)parse(arguments); });
}

TEST(CommandLine, DashAndUnderscoreAreTheSame) {
  for (const std::string flag : {"--center-crop", "--center_crop"}) EXPECT_TRUE(parse({flag}).center_crop);
  for (const std::string flag : {"--resize-mode", "--resize_mode"}) {
    EXPECT_EQ(parse({flag, "area"}).mode, ResizeKind::area);
    EXPECT_EQ(parse({flag + "=lanczos"}).mode, ResizeKind::lanczos);
  }
}

TEST(CommandLine, ValuesKeepTheirCharacters) {
  const Toy toy =
      parse({"--prompts", "a cat", "[x, y]", "", "null", "5", "a_b=c", "--height", "-1", "--dump="});
  EXPECT_EQ(toy.prompts, (std::vector<std::string>{"a cat", "[x, y]", "", "null", "5", "a_b=c"}));
  EXPECT_EQ(toy.height, -1);
  EXPECT_EQ(toy.dump, "");
  EXPECT_EQ(parse({"--prompts=--odd_one", "--frame_nums", "1", "5"}).prompts,
            std::vector<std::string>{"--odd_one"});
  EXPECT_EQ(parse({"--frame_nums", "1", "5"}).frames, (std::vector<std::int64_t>{1, 5}));
}

TEST(CommandLine, TheLastOneWins) {
  EXPECT_EQ(parse({"--height", "1", "--height=2"}).height, 2);
}

TEST(CommandLine, RemainingTokensKeepTheirOrder) {
  const Toy toy = parse({"a.b=1", "--center-crop", "~c_d.e", "+f=2", "--height", "3", "g=[1,2]"});
  EXPECT_EQ(toy.rest, (std::vector<std::string>{"a.b=1", "~c_d.e", "+f=2", "g=[1,2]"}));
  EXPECT_TRUE(toy.center_crop);
}

TEST(CommandLine, MistakesNameTheFlag) {
  EXPECT_TRUE(contains(failure({"--hieght", "3"}), "--height"));
  EXPECT_TRUE(contains(failure({"--resise_mode=area"}), "--resize_mode"));
  EXPECT_TRUE(contains(failure({"-h"}), "unknown flag"));
  EXPECT_TRUE(
      contains(failure({"--height", "tall"}), "--height: found tall, allowed: a whole number in [-1, 1000]"));
  EXPECT_TRUE(contains(failure({"--resize_mode", "cubic"}), "bilinear, bicubic"));
  EXPECT_NE(failure({"--height"}), "");
  EXPECT_NE(failure({"--prompts"}), "");
}

TEST(CommandLine, FlagsWithoutEffectAreAcceptedWithAndWithoutValue) {
  EXPECT_EQ(parse({"--offload_model", "True"}).notices.size(), 1U);
  const Toy toy = parse({"--offload-model", "--center-crop"});
  EXPECT_TRUE(toy.center_crop);
  EXPECT_TRUE(contains(toy.notices.at(0), "nothing to offload"));
}

TEST(CommandLine, HelpAndVersionAreTexts) {
  const std::string help = parse({"--help"}).text;
  for (const char* part : {"usage: toy", "--resize_mode", "[pixels]", "default 480", "--offload_model"}) {
    EXPECT_TRUE(contains(help, part)) << part;
  }
  EXPECT_TRUE(contains(parse({"--version"}).text, "toy 0."));
}

}  // namespace
}  // namespace wan
