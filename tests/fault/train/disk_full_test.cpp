#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/file.hpp"
#include "support/run_command.hpp"
#include "support/small_disk.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

using Clock = std::chrono::steady_clock;

/// A run on a small disk that is asked to save by hand.
class DiskFull : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { NEED_SMALL_DISK(disk_); }

  [[nodiscard]] std::string run() const { return disk_.path() + "/run"; }
  [[nodiscard]] std::string output() const { return read_file(output_file_); }
  [[nodiscard]] std::size_t count(const std::string& text) const {
    const std::string all = output();
    std::size_t found = 0;
    for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++found;
    return found;
  }

  /// What the tracker says.
  [[nodiscard]] std::int64_t newest_step() const {
    return std::stoll(read_file(run() + "/latest_checkpointed_iteration.txt"));
  }

  /// Asks for a save until `text` has been printed more than `before` times; false if the job ends or is
  /// slow. With `full` the disk is kept full meanwhile: a save that had its space before succeeds, and what
  /// it then removes would be room for the next, and so on.
  [[nodiscard]] bool save_until(Child& job, const std::string& text, std::size_t before, bool full) const {
    const Clock::time_point begin = Clock::now();
    while (count(text) <= before) {
      if (Clock::now() - begin > std::chrono::seconds(60)) return false;
      if (full) disk_.leave_free(0);
      // Made even when the disk is full: an empty file takes no space.
      std::ofstream(run() + "/SAVE_NOW").close();
      if (job.wait(0.1) != -1) return false;
    }
    return true;
  }

  // Steps of a millisecond log a megabyte a second, which waits while the disk is full and is written after.
  SmallDisk disk_{std::int64_t{512} << 20};
  TemporaryFolder elsewhere_;
  std::string output_file_ = elsewhere_ / "output.txt";
};

// Saves fail and say why, what was there stays, no step is lost and no line of the log; with room again saves
// succeed and the run ends well.
TEST_P(DiskFull, training_goes_on_and_later_saves_succeed) {
  const std::vector<std::string> settings = {"train.train_iters=100000", "checkpoint.save_interval=100000",
                                             "checkpoint.most_recent_k=2"};
  Child job(on_ranks(GetParam(), small_training(run(), settings)), output_file_);
  while (!std::filesystem::exists(run() + "/metrics.jsonl")) ASSERT_EQ(job.wait(0.05), -1) << output();
  ASSERT_TRUE(save_until(job, "checkpoint step=", 0, false)) << output();

  // A save under way at the first filling frees what it had taken when it fails.
  const std::string refused = "failed, training goes on: " + run() + ": a checkpoint needs ";
  for (std::size_t failures = 0; failures < 4; ++failures) {
    ASSERT_TRUE(save_until(job, refused, failures, true)) << output();
  }
  EXPECT_GE(count(" bytes free ("), 4U) << output();
  EXPECT_GE(count("; 3 saves in a row have failed"), 1U) << output();
  EXPECT_NE(weights_of(run(), newest_step()).size(), 0U);

  const std::size_t saved = count("checkpoint step=");
  disk_.leave_free(std::int64_t{400} << 20);
  ASSERT_TRUE(save_until(job, "checkpoint step=", saved, false)) << output();
  ASSERT_EQ(::kill(job.pid(), SIGUSR1), 0);
  EXPECT_EQ(job.wait(60), 75) << output();

  const std::vector<Json> lines = metrics_of(run());
  EXPECT_EQ(static_cast<std::int64_t>(lines.size()), newest_step());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ASSERT_EQ(lines[i].at("step").as_integer(), static_cast<std::int64_t>(i) + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(ranks, DiskFull, ::testing::Values(1, 2));

}  // namespace
}  // namespace wan::test
