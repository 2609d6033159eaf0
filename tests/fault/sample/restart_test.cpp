#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "support/sample_runs.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

namespace fs = std::filesystem;

constexpr int kills_wanted = 24;

/// A model folder and a list of videos that make several batches on every rank: pictures of 256 tokens,
/// clips of 512.
class SampleRestart : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    make_model_folder(*folder_ / "model");
    Json list;
    for (int i = 0; i < 9; ++i) {
      Json entry;
      entry.set("prompt", cat("video number ", i)).set("size", "256*256").set("frames", i % 4 == 3 ? 5 : 1);
      list.push(entry);
    }
    write_file_atomically(*folder_ / "prompts.json", list.dump());
  }
  static void TearDownTestSuite() { folder_.reset(); }

  [[nodiscard]] static std::vector<std::string> command(int ranks, const std::string& output,
                                                        const std::vector<std::string>& more) {
    std::vector<std::string> flags{"--prompts_file", *folder_ / "prompts.json"};
    flags.insert(flags.end(), more.begin(), more.end());
    return sample_command(ranks, *folder_ / "model", output, flags);
  }
  [[nodiscard]] static std::string path(const std::string& name) { return *folder_ / name; }

 private:
  static std::unique_ptr<TemporaryFolder> folder_;
};

std::unique_ptr<TemporaryFolder> SampleRestart::folder_;

/// Waits until the job's log holds `text`; false if the job ends before.
bool wait_for(Child& job, const std::string& log, const std::string& text) {
  while (job.wait(0.003) < 0) {
    if (read_file(log).find(text) != std::string::npos) return true;
  }
  return false;
}

std::size_t records_in(const std::string& folder) {
  if (!fs::exists(folder)) return 0;
  std::size_t records = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    records += entry.path().extension() == ".json" ? 1 : 0;
  return records;
}

const std::vector<std::string> quick{"--sample_steps", "2", "--base_seed", "3"};

TEST_F(SampleRestart, AStopIs75AndTheSameCommandMakesTheRest) {
  for (const int ranks : {1, 2}) {
    const std::string reference = path(cat("whole", ranks));
    ASSERT_EQ(run_command(command(ranks, reference, quick)).code, 0);
    for (const int number : {SIGUSR1, SIGTERM}) {
      // mpirun takes SIGTERM as an order to end all ranks at once.
      if (number == SIGTERM && ranks > 1) continue;
      const std::string output = path(cat("stopped", ranks, "-", number));
      const std::string log = output + ".log";
      {
        Child job(command(ranks, output, quick), log);
        ASSERT_TRUE(wait_for(job, log, "wrote ")) << read_file(log);
        job.signal_all(number);
        ASSERT_EQ(job.wait(60), 75) << read_file(log);
      }
      EXPECT_NE(read_file(log).find("stopped on request"), std::string::npos);
      const std::size_t made = records_in(output);
      EXPECT_GE(made, 1U);
      EXPECT_LT(made, 9U);
      for (const auto& [name, hash] : bytes_in(output))
        EXPECT_EQ(name.find(".tmp."), std::string::npos) << name;

      const CommandResult rest = run_command(command(ranks, output, quick));
      ASSERT_EQ(rest.code, 0) << rest.output;
      EXPECT_NE(rest.output.find(cat(made, " of 9 videos are there already")), std::string::npos)
          << rest.output;
      EXPECT_EQ(bytes_in(output), bytes_in(reference));
    }
  }
}

TEST_F(SampleRestart, RandomKillsChangeNothing) {
  for (const int ranks : {1, 2}) {
    const std::string reference = path(cat("unkilled", ranks));
    const std::string log = reference + ".log";
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_EQ(run_command(command(ranks, reference, quick)).code, 0);
    const double whole_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const auto expected = bytes_in(reference);

    std::mt19937 random(static_cast<unsigned>(ranks));
    std::uniform_real_distribution<double> moment(0, whole_s);
    int kills = 0;
    int continued = 0;
    while (kills < kills_wanted) {
      const std::string output = path(cat("killed", ranks));
      for (int code = -1; code < 0;) {
        const std::size_t made = records_in(output);
        if (made > 0 && made < 9) ++continued;
        Child job(command(ranks, output, quick), log);
        code = job.wait(kills < kills_wanted ? moment(random) : 120);
        if (code < 0) {
          job.kill_all();
          ++kills;
        }
        ASSERT_TRUE(code < 0 || code == 0) << code << "\n" << read_file(log);
      }
      ASSERT_EQ(bytes_in(output), expected) << "after " << kills << " kills";
      fs::remove_all(output);
    }
    // Kills that only met the start would prove little.
    EXPECT_GE(continued, 3);
  }
}

TEST_F(SampleRestart, ADrawnSeedOutlivesAKillAndNotTheJob) {
  const std::string output = path("drawn");
  const std::string log = output + ".log";
  {
    Child job(command(1, output, {"--sample_steps", "2"}), log);
    ASSERT_TRUE(wait_for(job, log, "wrote ")) << read_file(log);
    job.kill_all();
  }
  const CommandResult rest = run_command(command(1, output, {"--sample_steps", "2"}));
  ASSERT_EQ(rest.code, 0) << rest.output;
  EXPECT_NE(rest.output.find("videos are there already"), std::string::npos) << rest.output;
  // Nine videos and nine records of one run; the seed's note is gone, so the same command draws anew.
  EXPECT_EQ(bytes_in(output).size(), 18U);
  const CommandResult again = run_command(command(1, output, {"--sample_steps", "1"}));
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(bytes_in(output).size(), 36U);
}

TEST_F(SampleRestart, OnlyWhatIsMissingDamagedOrChangedIsMadeAgain) {
  const std::string output = path("changed");
  const auto log_of = [&](const std::vector<std::string>& flags) {
    const CommandResult made = run_command(command(1, output, flags));
    EXPECT_EQ(made.code, 0) << made.output;
    return made.output;
  };
  const auto written = [](const std::string& log) {
    std::size_t count = 0;
    for (std::size_t at = log.find("wrote "); at != std::string::npos; at = log.find("wrote ", at + 1))
      ++count;
    return count;
  };
  EXPECT_EQ(written(log_of(quick)), 9U);
  const auto first = bytes_in(output);
  EXPECT_EQ(written(log_of(quick)), 0U);

  std::vector<std::string> records;
  std::vector<std::string> videos;
  for (const auto& [name, hash] : first) {
    (fs::path(name).extension() == ".json" ? records : videos).push_back(output + "/" + name);
  }
  fs::remove(records[0]);
  fs::remove(videos[1]);
  fs::resize_file(videos[2], fs::file_size(videos[2]) - 1);
  write_file_atomically(records[3], "{");
  write_file_atomically(videos[4] + ".tmp.1234", "left by a killed process");
  EXPECT_EQ(written(log_of(quick)), 4U);
  EXPECT_EQ(bytes_in(output), first);

  for (const std::vector<std::string>& changed : {std::vector<std::string>{"--sample_steps", "3"},
                                                  {"--fps", "8"},
                                                  {"--sample_guide_scale", "2"},
                                                  {"--negative_prompt", "x"},
                                                  {"--sample_solver", "euler"},
                                                  {"--sigma_grid", "official"},
                                                  {"--sample_shift", "3"},
                                                  {"--params_dtype", "bf16"},
                                                  {"--encoder_dtype", "bf16"}}) {
    std::vector<std::string> flags = quick;
    flags.insert(flags.end(), changed.begin(), changed.end());
    EXPECT_EQ(written(log_of(flags)), 9U) << changed.front();
    EXPECT_EQ(written(log_of(flags)), 0U) << changed.front();
  }
}

}  // namespace
}  // namespace wan::test
