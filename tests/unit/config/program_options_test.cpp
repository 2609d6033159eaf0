#include <gtest/gtest.h>

#include "base/error.hpp"
#include "config/convert_options.hpp"
#include "config/prep_options.hpp"
#include "config/sample_options.hpp"
#include "config/train_options.hpp"
#include "unit/config/failure_of.hpp"

namespace wan {
namespace {

PrepOptions prep(std::vector<std::string> more) {
  more.insert(more.begin(), {"--video_folder", "v", "--output_dir", "d"});
  return parse_prep_options(more).options;
}

SampleOptions sample(std::vector<std::string> more) {
  more.insert(more.begin(), {"--checkpoint_dir", "c", "--prompts", "p"});
  return parse_sample_options(more).options;
}

TEST(PrepOptions, TheTutorialsCommand) {
  const PrepOptions options = parse_prep_options({"--video_folder", "/v", "--output_dir", "/d", "--model",
                                                  "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "--height", "480",
                                                  "--width", "832", "--center-crop"})
                                  .options;
  EXPECT_EQ(options.video_folder, "/v");
  EXPECT_EQ(options.height, 480);
  EXPECT_EQ(options.width, 832);
  EXPECT_TRUE(options.center_crop);
  EXPECT_EQ(options.fps, 16.0);
  EXPECT_EQ(options.clip_frames, 81);
  EXPECT_EQ(options.split, (std::vector<double>{8, 1, 1}));
}

TEST(PrepOptions, ComposedFlags) {
  EXPECT_FALSE(prep({"--fps", "native"}).fps);
  EXPECT_EQ(prep({"--fps", "24"}).fps, 24.0);
  EXPECT_EQ(prep({"--split", "1,0,0"}).split, (std::vector<double>{1, 0, 0}));
  EXPECT_EQ(prep({"--part", "2/5"}).part, 2);
  EXPECT_EQ(prep({"--part", "2/5"}).parts, 5);
  EXPECT_TRUE(prep({"--dry-run"}).dry_run);
  EXPECT_TRUE(prep({"--dry-run", "--finalize"}).finalize);
  EXPECT_FALSE(prep({}).dry_run);
}

TEST(PrepOptions, Mistakes) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--fps", "0"},
      {"--fps", "fast"},
      {"--split", "8,1"},
      {"--split", "0,1,1"},
      {"--split", "a,b,c"},
      {"--part", "5/5"},
      {"--part", "3"},
      {"--part", "-1/4"},
      {"--height", "480"},
      {"--clip_frames", "80"},
      {"--part", "0/2", "--finalize"},
      {"--height", "100", "--width", "96"},
      {"--shard_maxcount", "0"},
      {"--mode", "image"},
      {"stray"},
  };
  for (const std::vector<std::string>& arguments : wrong) {
    EXPECT_NE(failure_of<UsageError>([&] { (void)prep(arguments); }), "") << arguments.back();
  }
  EXPECT_TRUE(contains(failure_of<UsageError>([] {
                         (void)parse_prep_options({"--output_dir", "d"});
                       }),
                       "--video_folder"));
}

TEST(SampleOptions, TheTutorialsCommand) {
  const SampleOptions options =
      parse_sample_options({"--task", "t2v-1.3B", "--frame_nums", "81", "--sizes", "480*832",
                            "--checkpoint_dir", "/c", "--checkpoint_step", "10000", "--prompts", "Two cats",
                            "--sample_steps", "50"})
          .options;
  ASSERT_EQ(options.sizes.size(), 1U);
  EXPECT_EQ(to_text(options.sizes[0]), "480 high x 832 wide");
  EXPECT_EQ(options.checkpoint_step, 10000);
  EXPECT_EQ(options.prompts, std::vector<std::string>{"Two cats"});
}

TEST(SampleOptions, SizesAreHeightTimesWidthEitherWay) {
  EXPECT_EQ(sample({"--height", "64", "--width", "96"}).sizes, (std::vector<FrameSize>{{64, 96}}));
  EXPECT_EQ(sample({"--sizes", "64x96"}).sizes, (std::vector<FrameSize>{{64, 96}}));
  EXPECT_TRUE(sample({}).sizes.empty());
}

TEST(SampleOptions, Mistakes) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--sizes", "480"},
      {"--sizes", "480*"},
      {"--sizes", "480*833"},
      {"--sizes", "-16*16"},
      {"--frame_nums", "80"},
      {"--height", "64"},
      {"--sizes", "64*64", "--height", "64", "--width", "64"},
      {"--base_seed", "-2"},
      {"--weights", "best"},
      {"--context_parallel_size", "2"},
      {"--prompts_file", "f"},
      {"--sizes", "64*64", "64*96", "64*64"},
      {"--sample_shift", "0"},
  };
  for (const std::vector<std::string>& arguments : wrong) {
    EXPECT_NE(failure_of<UsageError>([&] { (void)sample(arguments); }), "") << arguments.back();
  }
  EXPECT_NE(failure_of<UsageError>([] { (void)parse_sample_options({"--prompts", "p"}); }), "");
}

TEST(TrainOptions, FlagsAndOverrides) {
  const Invocation<TrainOptions> found =
      parse_train_options({"--training-mode", "pretrain", "--config_file", "my.yaml", "dataset.path=/d",
                           "--mock", "train.train_iters=5"});
  EXPECT_EQ(found.options.source.mode, TrainingMode::pretrain);
  EXPECT_EQ(found.options.source.file, "my.yaml");
  EXPECT_TRUE(found.options.source.mock);
  EXPECT_EQ(found.options.source.overrides,
            (std::vector<std::string>{"dataset.path=/d", "train.train_iters=5"}));
  EXPECT_EQ(parse_train_options({}).options.source.mode, TrainingMode::finetune);
  EXPECT_EQ(parse_train_options({"--mock", "--print", "checkpoint.save", "checkpoint.save=/a b"}).text,
            "/a b\n");
  EXPECT_TRUE(contains(parse_train_options({"--mock", "--print", "all"}).text, "  train_iters: 10000"));
  EXPECT_TRUE(contains(parse_train_options({"--help"}).text, "model.context_parallel_size"));
  EXPECT_TRUE(contains(failure_of<UsageError>([] { (void)parse_train_options({"--mok"}); }), "--mock"));
}

TEST(ConvertOptions, SizesOfFiles) {
  const auto size = [](const std::string& text) {
    return parse_convert_options({"--from", "a", "--to", "b", "--max-shard-size", text})
        .options.max_shard_bytes;
  };
  EXPECT_EQ(parse_convert_options({"--from", "a", "--to", "b"}).options.max_shard_bytes, 5'000'000'000);
  EXPECT_EQ(size("5GB"), 5'000'000'000);
  EXPECT_EQ(size("1.5 gib"), 1610612736);
  EXPECT_EQ(size("800MB"), 800'000'000);
  EXPECT_EQ(size("123"), 123);
  for (const char* wrong : {"", "GB", "0", "-5GB", "5XB", "5 G B", "1e30", "nan"}) {
    EXPECT_THROW((void)size(wrong), UsageError) << wrong;
  }
}

TEST(ConvertOptions, Mistakes) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--from", "a"},
                                             {"--to", "b"},
                                             {"--from", "a", "--to", "b", "c"},
                                             {"--from", "a", "--to", "b", "--to-format", "onnx"},
                                             {"--from", "a", "--to", "b", "--dtype", "fp8"},
                                             {"--from", "a", "--to", "b", "--step", "-1"}}) {
    EXPECT_THROW((void)parse_convert_options(wrong), UsageError) << wrong.back();
  }
}

}  // namespace
}  // namespace wan
