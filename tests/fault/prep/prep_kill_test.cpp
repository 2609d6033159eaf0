#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <string>

#include "base/file.hpp"
#include "base/text.hpp"
#include "data/dataset.hpp"
#include "data/shard.hpp"
#include "support/prep_runs.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kills_wanted = 50;
const std::vector<std::string> flags{"--clip_frames", "5", "--shard_maxcount", "5", "--threads", "1"};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void draw_videos(const std::string& folder) {
  for (int i = 0; i < 18; ++i) {
    DrawnVideo video;
    video.seed = static_cast<std::uint64_t>(i);
    video.frames = 14;
    draw_video(folder, cat("video-", i, ".mp4"), video, cat("video number ", i));
  }
  write_file_atomically(folder + "/broken.mp4", "nothing");
}

/// Waits until the job's log holds `text`; false if the job ends before.
bool wait_for(Child& job, const std::string& log, const std::string& text) {
  while (job.wait(0.003) < 0) {
    if (std::filesystem::exists(log) && read_file(log).find(text) != std::string::npos) return true;
  }
  return false;
}

/// Clips that an unfinished data set holds already.
std::int64_t clips_done(const std::string& folder) {
  std::int64_t done = 0;
  for (std::int64_t number = 0; std::filesystem::exists(folder + "/" + shard_name(number)); ++number) {
    const std::vector<RowState> states = Shard::open_to_read(folder + "/" + shard_name(number)).states();
    done += std::count(states.begin(), states.end(), RowState::done);
  }
  return done;
}

/// Kills wan-prep at random moments until it has ended by itself, again and again with new folders, until
/// enough kills have met it alive; every finished data set must have the bytes of the undisturbed one.
void kill_until_done(int ranks) {
  const TemporaryFolder scratch;
  const std::string log = scratch / "log";
  draw_videos(scratch / "videos");
  Clock::time_point begin = Clock::now();
  double start_s = 0;
  double work_s = 0;
  {
    Child undisturbed(prep_command(ranks, scratch / "videos", scratch / "reference", flags), log);
    ASSERT_TRUE(wait_for(undisturbed, log, "shards to make"));
    start_s = seconds_since(begin);
    begin = Clock::now();
    ASSERT_EQ(undisturbed.wait(300), 0) << read_file(log);
    work_s = seconds_since(begin);
  }
  const auto expected = dataset_bytes(scratch / "reference");

  std::mt19937 random(static_cast<unsigned>(ranks));
  std::uniform_real_distribution<double> share(0, 1);
  int kills = 0;
  int continued = 0;
  for (int round = 0; kills < kills_wanted; ++round) {
    ASSERT_LT(round, kills_wanted) << "only " << kills << " kills met a living job";
    const std::string output = scratch / cat("round-", round);
    for (int code = -1; code < 0;) {
      std::filesystem::remove(log);
      if (clips_done(output) > 0) ++continued;
      Child job(prep_command(ranks, scratch / "videos", output, flags), log);
      if (kills == kills_wanted) {
        // Enough: the last data set is finished in peace.
        code = job.wait(300);
      } else if (share(random) < 0.2) {
        // Any moment of a short life.
        code = job.wait(share(random) * start_s);
      } else if (wait_for(job, log, "shards to make")) {
        // Any moment of planning, encoding, verifying and joining.
        code = job.wait(share(random) * work_s);
      }
      if (code < 0) {
        job.kill_all();
        ++kills;
      }
      ASSERT_TRUE(code < 0 || code == 0) << code << "\n" << read_file(log);
    }
    ASSERT_EQ(dataset_bytes(output), expected) << "round " << round;
    EXPECT_NO_THROW((void)Dataset::open(output));
    std::filesystem::remove_all(output);
  }
  // Kills that only met the start would prove little.
  EXPECT_GE(continued, 5);
  ::testing::Test::RecordProperty("kills", kills);
}

TEST(PrepKill, OneRankEndsWithTheSameBytes) {
  kill_until_done(1);
}

TEST(PrepKill, ThreeRanksEndWithTheSameBytes) {
  kill_until_done(3);
}

}  // namespace
}  // namespace wan::test
