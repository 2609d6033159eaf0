#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/text.hpp"
#include "data/dataset.hpp"
#include "support/prep_runs.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

namespace fs = std::filesystem;

/// Videos of two sizes, lengths and rates, two of them unusable, made once.
class PrepJob : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    for (int i = 0; i < 9; ++i) {
      DrawnVideo video;
      video.seed = static_cast<std::uint64_t>(i);
      video.frames = 6 + 3 * (i % 3);
      if (i % 4 == 1) video.width = 48;
      if (i % 4 == 2) video.rate = {24, 1};
      draw_video(videos(), cat("video-", i, ".mp4"), video, cat("number ", i, " of nine"));
    }
    for (int i = 0; i < 30; ++i) {
      DrawnVideo video;
      video.seed = static_cast<std::uint64_t>(100 + i);
      video.frames = 17;
      draw_video(many(), cat(i, ".mp4"), video, "one of many");
    }
    draw_video(videos(), "without-caption.mp4", {}, "");
    write_file_atomically(videos() + "/broken.mov", "no video at all");
    write_file_atomically(videos() + "/broken.json", "{\"caption\": \"broken\"}");
  }
  static void TearDownTestSuite() { delete folder_; }

  static std::string videos() { return *folder_ / "videos"; }
  /// Enough work for a job to be met in the middle of it.
  static std::string many() { return *folder_ / "many"; }
  static std::string output(const std::string& name) { return *folder_ / name; }
  static const std::vector<std::string>& flags() {
    static const std::vector<std::string> words{"--clip_frames", "5", "--shard_maxcount", "4",
                                                "--threads",     "1"};
    return words;
  }
  static CommandResult run(int ranks, const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.begin(), flags().begin(), flags().end());
    return run_prep_command(ranks, videos(), output(name), more);
  }

  static TemporaryFolder* folder_;
};

TemporaryFolder* PrepJob::folder_ = nullptr;

TEST_F(PrepJob, BytesDoNotDependOnTheNumberOfRanks) {
  std::map<std::string, std::string> bytes;
  for (const int ranks : {1, 2, 3}) {
    const std::string name = cat("ranks-", ranks);
    // Nor on the threads: one rank has two here.
    const CommandResult result = run(ranks, name, {"--threads", ranks == 1 ? "2" : "1"});
    ASSERT_EQ(result.code, 0) << result.output;
    if (ranks == 1) bytes = dataset_bytes(output(name));
    EXPECT_EQ(dataset_bytes(output(name)), bytes) << ranks << " ranks";
  }
  // Three shards, index, description and rejects.
  EXPECT_EQ(bytes.size(), 6U);
  const auto dataset = Dataset::open(output("ranks-1"));
  EXPECT_EQ(dataset->info().rejected, 2);
  EXPECT_GE(dataset->table().rows.size(), 9U);
  const std::string rejects = read_file(output("ranks-1") + "/rejects.csv");
  EXPECT_NE(rejects.find("broken.mov,,not_a_video,"), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("without-caption.mp4,,missing_caption,"), std::string::npos) << rejects;
  EXPECT_EQ(rejects.find(videos()), std::string::npos) << rejects;
}

TEST_F(PrepJob, PartsAndFinalizeGiveTheBytesOfOneJob) {
  ASSERT_EQ(run(2, "whole").code, 0);
  for (const char* part : {"2/3", "0/3"}) {
    const CommandResult result = run(1, "parts", {"--part", part});
    ASSERT_EQ(result.code, 0) << result.output;
  }
  const CommandResult early = run(1, "parts", {"--finalize"});
  EXPECT_EQ(early.code, 65) << early.output;
  EXPECT_NE(early.output.find("latents-00001.h5"), std::string::npos) << early.output;
  EXPECT_FALSE(fs::exists(output("parts") + "/dataset.yaml"));
  ASSERT_EQ(run(2, "parts", {"--part", "1/3"}).code, 0);
  const CommandResult last = run(2, "parts", {"--finalize"});
  ASSERT_EQ(last.code, 0) << last.output;
  EXPECT_EQ(dataset_bytes(output("parts")), dataset_bytes(output("whole")));
}

TEST_F(PrepJob, ASecondStartDoesNothingAndSaysSo) {
  ASSERT_EQ(run(1, "twice").code, 0);
  const auto bytes = dataset_bytes(output("twice"));
  const auto written = fs::last_write_time(output("twice") + "/dataset.yaml");
  const CommandResult again = run(2, "twice");
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.output.find("nothing to do"), std::string::npos) << again.output;
  EXPECT_EQ(dataset_bytes(output("twice")), bytes);
  EXPECT_EQ(fs::last_write_time(output("twice") + "/dataset.yaml"), written);
  const CommandResult other = run(1, "twice", {"--latent_dtype", "fp32"});
  EXPECT_EQ(other.code, 78) << other.output;
  EXPECT_NE(other.output.find("dtype: found bf16, here fp32"), std::string::npos) << other.output;
  const CommandResult coarse = run(1, "twice", {"--encoder_dtype", "bf16"});
  EXPECT_EQ(coarse.code, 78) << coarse.output;
  EXPECT_NE(coarse.output.find("encoder_dtype: found auto, here bf16"), std::string::npos) << coarse.output;
  EXPECT_EQ(dataset_bytes(output("twice")), bytes);
}

TEST_F(PrepJob, OtherVideosOrSettingsAreNotMixedIn) {
  const std::string few = *folder_ / "few";
  for (const char* name : {"a.mp4", "b.mp4", "c.mp4"}) draw_video(few, name, {}, "one of few");
  const auto start = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"--clip_frames", "5", "--shard_maxcount", "2"};
    words.insert(words.end(), more.begin(), more.end());
    return run_prep_command(1, few, output("few-data"), words);
  };
  // Begun, but not finished.
  ASSERT_EQ(start({"--part", "0/2"}).code, 0);
  const CommandResult begun = start({"--fps", "native"});
  EXPECT_EQ(begun.code, 78) << begun.output;
  EXPECT_NE(begun.output.find("fps: found 16, here native"), std::string::npos) << begun.output;
  ASSERT_EQ(start({}).code, 0);
  const auto bytes = dataset_bytes(output("few-data"));
  draw_video(few, "d.mp4", {}, "one more");
  const CommandResult more = start({});
  EXPECT_EQ(more.code, 65) << more.output;
  EXPECT_NE(more.output.find("Use another output folder"), std::string::npos) << more.output;
  EXPECT_EQ(dataset_bytes(output("few-data")), bytes);
  // Videos that were removed once they were done are not missed.
  fs::remove_all(few);
  EXPECT_EQ(start({}).code, 0);
}

TEST_F(PrepJob, SinglePrecisionKeepsMoreOfTheSameLatents) {
  ASSERT_EQ(run(1, "bf16").code, 0);
  ASSERT_EQ(run(2, "fp32", {"--latent_dtype", "fp32"}).code, 0);
  const DatasetSplit half(Dataset::open(output("bf16")), Split::train);
  const DatasetSplit full(Dataset::open(output("fp32")), Split::train);
  ASSERT_EQ(half.size(), full.size());
  for (std::int64_t i = 0; i < half.size(); ++i) {
    const SampleInfo info = half.info(i);
    std::vector<float> text(static_cast<std::size_t>(info.text_rows * half.text_width()));
    std::vector<float> a(static_cast<std::size_t>(info.latent.elements()));
    std::vector<float> b(a.size());
    half.read(i, a.data(), text.data());
    full.read(i, b.data(), text.data());
    // bf16 keeps 8 bits of a value.
    for (std::size_t k = 0; k < a.size(); ++k) ASSERT_NEAR(a[k], b[k], std::abs(b[k]) / 256);
  }
}

TEST_F(PrepJob, SamplesOfThePosteriorDependOnTheSeedAlone) {
  const auto bytes = [&](const char* name, int ranks, const char* seed) {
    const CommandResult result = run(ranks, name, {"--stochastic", "--seed", seed});
    EXPECT_EQ(result.code, 0) << result.output;
    return dataset_bytes(output(name))["shards/latents-00000.h5"];
  };
  const std::string first = bytes("sample-1", 1, "5");
  EXPECT_EQ(bytes("sample-2", 2, "5"), first);
  EXPECT_NE(bytes("sample-3", 1, "6"), first);
}

TEST_F(PrepJob, NothingUsableIsBadDataAndCanBeStartedAgain) {
  const std::string bad = *folder_ / "bad";
  draw_video(bad, "a.mp4", {}, "");
  draw_video(bad, "b.mp4", {}, "");
  const auto start = [&] { return run_prep_command(2, bad, output("none"), {"--clip_frames", "5"}); };
  const CommandResult first = start();
  EXPECT_EQ(first.code, 65) << first.output;
  EXPECT_NE(read_file(output("none") + "/rejects.csv").find("missing_caption"), std::string::npos);
  EXPECT_FALSE(fs::exists(output("none") + "/dataset.yaml"));
  write_file_atomically(bad + "/b.jsonl", "not json\n{\"size\": 3, \"text\": \"now it has one\"}\n");
  const CommandResult second = start();
  ASSERT_EQ(second.code, 0) << second.output;
  const auto dataset = Dataset::open(output("none"));
  // Nine frames are a clip of five and a tail of four, which is too short for one.
  ASSERT_EQ(dataset->table().rows.size(), 1U);
  EXPECT_EQ(dataset->table().rows[0].caption, "now it has one");
  EXPECT_EQ(dataset->info().rejected, 1);
}

TEST_F(PrepJob, MissingInputIsNamed) {
  EXPECT_EQ(run_prep_command(1, *folder_ / "nowhere", output("x"), flags()).code, 66);
  fs::create_directory(*folder_ / "empty");
  EXPECT_EQ(run_prep_command(2, *folder_ / "empty", output("x"), flags()).code, 65);
  EXPECT_EQ(run_prep_command(1, videos() + "/broken.mov", output("x"), flags()).code, 66);
  const CommandResult nothing = run(2, "never-begun", {"--finalize"});
  EXPECT_EQ(nothing.code, 66) << nothing.output;
  EXPECT_FALSE(fs::exists(output("never-begun")));
  const CommandResult file = run_prep_command(2, videos(), videos() + "/broken.mov", flags());
  EXPECT_EQ(file.code, 73) << file.output;
}

/// Starts a job and halts all its processes once the file is there.
void halt_at(Child& job, const std::string& file, const std::string& log) {
  for (int i = 0; i < 20000 && !fs::exists(file); ++i) ASSERT_EQ(job.wait(0.003), -1) << read_file(log);
  job.signal_all(SIGSTOP);
  ASSERT_EQ(job.wait(0), -1) << "ended before it could be halted\n" << read_file(log);
}

TEST_F(PrepJob, AFolderBelongsToOneJobAtATime) {
  const TemporaryFolder logs;
  Child first(prep_command(2, many(), output("locked"), flags()), logs / "log");
  halt_at(first, output("locked") + "/shards/latents-00000.h5", logs / "log");
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, {"--part", "1/4"}, {"--part", "0/1"}, {"--finalize"}}) {
    std::vector<std::string> words = flags();
    words.insert(words.end(), more.begin(), more.end());
    const CommandResult second = run_prep_command(1, many(), output("locked"), words);
    EXPECT_EQ(second.code, 75) << second.output;
  }
  first.signal_all(SIGCONT);
  EXPECT_EQ(first.wait(120), 0) << read_file(logs / "log");
}

TEST_F(PrepJob, PartsOfOneArrayRunSideBySide) {
  const TemporaryFolder logs;
  std::vector<std::string> words = flags();
  words.insert(words.end(), {"--part", "0/2"});
  Child first(prep_command(1, many(), output("array"), words), logs / "log");
  halt_at(first, output("array") + "/shards/latents-00000.h5", logs / "log");
  words.back() = "1/2";
  const CommandResult second = run_prep_command(1, many(), output("array"), words);
  EXPECT_EQ(second.code, 0) << second.output;
  words.back() = "1/3";
  const CommandResult other = run_prep_command(1, many(), output("array"), words);
  EXPECT_EQ(other.code, 75) << other.output;
  first.signal_all(SIGCONT);
  EXPECT_EQ(first.wait(120), 0) << read_file(logs / "log");
}

/// When every file and folder below was last changed; a folder changes with what is made or removed in it.
std::map<std::string, fs::file_time_type> changes(const std::string& folder) {
  std::map<std::string, fs::file_time_type> out{{".", fs::last_write_time(folder)}};
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    out[entry.path().lexically_relative(folder).string()] = entry.last_write_time();
  return out;
}

TEST_F(PrepJob, ADryRunTellsWhatARunThenDoes) {
  const auto dry_run = [&](int ranks, std::vector<std::string> more) {
    more.emplace_back("--dry-run");
    const auto before = changes(output("."));
    // A device that is asked for and not there ends every other job.
    std::vector<std::string> words = flags();
    words.insert(words.end(), more.begin(), more.end());
    const CommandResult result =
        run_command(prep_command(ranks, videos(), output("dry"), words), 120, {{"WAN_DEVICE", "cuda"}});
    EXPECT_EQ(changes(output(".")), before);
    return result;
  };
  const auto expect_said = [](const CommandResult& result, const std::string& text) {
    EXPECT_NE(result.output.find(text), std::string::npos) << text << " in\n" << result.output;
  };
  for (const int ranks : {1, 3}) {
    const CommandResult fresh = dry_run(ranks, {});
    EXPECT_EQ(fresh.code, 0) << fresh.output;
    expect_said(fresh, "11 videos, 3 shards in this job");
    expect_said(fresh, "shards: 0 of 3 are there, 3 to make");
    expect_said(fresh, "rejected: broken.mov: not_a_video: ");
    expect_said(fresh, "rejected: without-caption.mp4: missing_caption: ");
    expect_said(fresh, "5 frames, 32 high × 48 wide");
    expect_said(fresh, "memory of a GPU for clips: VAE encoder ");
  }
  EXPECT_FALSE(fs::exists(output("dry")));
  EXPECT_EQ(dry_run(1, {"--finalize"}).code, 66);

  ASSERT_EQ(run(1, "dry", {"--part", "1/3"}).code, 0);
  const CommandResult begun = dry_run(2, {});
  EXPECT_EQ(begun.code, 0) << begun.output;
  expect_said(begun, "shards: 1 of 3 are there, 2 to make");
  EXPECT_EQ(dry_run(1, {"--fps", "native"}).code, 78);
  const CommandResult early = dry_run(2, {"--finalize"});
  EXPECT_EQ(early.code, 65) << early.output;
  expect_said(early, "latents-00000.h5");

  for (const char* part : {"0/3", "2/3"}) ASSERT_EQ(run(1, "dry", {"--part", part}).code, 0);
  const CommandResult joining = dry_run(2, {"--finalize"});
  EXPECT_EQ(joining.code, 0) << joining.output;
  const CommandResult encoded = dry_run(1, {});
  ASSERT_EQ(run(1, "dry").code, 0);
  const auto dataset = Dataset::open(output("dry"));
  const std::size_t rows = dataset->table().rows.size();
  expect_said(dry_run(1, {}), "is a finished data set already; nothing to do");
  EXPECT_EQ(dry_run(2, {"--latent_dtype", "fp32"}).code, 78);
  // What was foretold, before anything was there, in the middle and at the end.
  const auto part = [&](const char* name) {
    return static_cast<std::size_t>(std::count_if(dataset->table().rows.begin(), dataset->table().rows.end(),
                                                  [&](const Row& row) { return row.source >= name; }));
  };
  // The second shard has the fifth to the eighth of the eleven videos.
  const std::size_t done = part("video-3.mp4") - part("video-7.mp4");
  expect_said(joining, cat(" test clips in 3 shards, ", dataset->info().rejected, " rejects"));
  expect_said(encoded, cat("clips: ", rows, " done, 0 rejected, 0 to encode"));
  expect_said(begun, cat("clips: ", done, " done, 0 rejected, ", rows - done, " to encode"));
  EXPECT_GT(done, 0U);
  EXPECT_LT(done, rows);
}

TEST_F(PrepJob, ADryRunEndsAsTheRunWould) {
  const std::string no_caption = *folder_ / "dry-no-caption";
  draw_video(no_caption, "a.mp4", {}, "");
  fs::create_directory(*folder_ / "dry-empty");
  const std::string bare = *folder_ / "dry-model";
  const std::string demo = std::string(WAN_SOURCE_DIR) + "/inputs/demo/model";
  fs::copy(demo, bare, fs::copy_options::recursive);
  fs::remove(bare + "/vae/diffusion_pytorch_model.safetensors");
  struct Start {
    std::string videos;
    std::string output;
    std::vector<std::string> more;
    int code;
  };
  const std::vector<Start> starts = {
      {*folder_ / "nowhere", output("dry-x"), {}, 66},
      {*folder_ / "dry-empty", output("dry-x"), {}, 65},
      {no_caption, output("dry-x"), {}, 65},
      {no_caption, output("dry-x"), {"--part", "0/2"}, 0},
      {videos(), output("dry-x"), {"--clip_frames", "6"}, 64},
      {videos(), output("dry-x"), {"--model", *folder_ / "no-model"}, 66},
      {videos(), output("dry-x"), {"--model", bare}, 66},
      {videos(), output("dry-x"), {"--model", bare, "--random-weights", "1"}, 0},
      {videos(), videos() + "/broken.mov", {}, 73},
      {videos(), videos() + "/broken.mov/below/it", {}, 73},
  };
  const auto before = changes(*folder_ / ".");
  for (const Start& start : starts) {
    std::vector<std::string> words = start.more;
    words.emplace_back("--dry-run");
    const CommandResult dry = run_prep_command(2, start.videos, start.output, words);
    EXPECT_EQ(dry.code, start.code) << join(words, " ") << "\n" << dry.output;
  }
  EXPECT_EQ(changes(*folder_ / "."), before);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (starts[i].code == 0) continue;
    const std::string to = i + 2 < starts.size() ? output(cat("wet-", i)) : starts[i].output;
    const CommandResult run = run_prep_command(1, starts[i].videos, to, starts[i].more);
    EXPECT_EQ(run.code, starts[i].code) << join(starts[i].more, " ") << "\n" << run.output;
  }
}

TEST_F(PrepJob, ARequestToStopEndsInRequeueAndTheNextStartContinues) {
  ASSERT_EQ(run_prep_command(1, many(), output("unstopped"), flags()).code, 0);
  for (const int ranks : {1, 2}) {
    // While shards are planned, and when the last of eight is there.
    for (const char* shard : {"3", "7"}) {
      const std::string name = cat("stopped-", ranks, "-", shard);
      const TemporaryFolder logs;
      Child first(prep_command(ranks, many(), output(name), flags()), logs / "log");
      halt_at(first, output(name) + "/shards/latents-0000" + shard + ".h5", logs / "log");
      first.signal_all(SIGUSR1);
      first.signal_all(SIGCONT);
      EXPECT_EQ(first.wait(60), 75) << read_file(logs / "log");
      EXPECT_FALSE(fs::exists(output(name) + "/dataset.yaml"));
      const CommandResult rest = run_prep_command(ranks, many(), output(name), flags());
      EXPECT_EQ(rest.code, 0) << rest.output;
      EXPECT_EQ(dataset_bytes(output(name)), dataset_bytes(output("unstopped")));
    }
  }
}

}  // namespace
}  // namespace wan::test
