#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <thread>

#include "base/file.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"
#include "support/checkpoint_properties.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

/// The last step the job said was committed, or `before` if it said nothing.
std::int64_t last_committed(const std::string& output, std::int64_t before) {
  for (const std::string& line : split(output, '\n')) {
    if (line.rfind("committed ", 0) == 0) before = std::stoll(line.substr(10));
  }
  return before;
}

/// Starts the saving job, kills all its processes at a random moment, and expects what was committed, whole.
/// The job itself checks on the next start what it loads.
void kill_often(int ranks, int kills, int most_ms) {
  const test::TemporaryFolder folder;
  const std::string run = folder / "run";
  const test::FakeRun fake(1, 40);
  std::mt19937_64 random(static_cast<std::uint64_t>(ranks));
  std::int64_t committed = 0;
  int during_a_save = 0;
  for (int kill = 0; kill < kills; ++kill) {
    SCOPED_TRACE(cat("kill ", kill, " on ", ranks, " ranks"));
    const std::string output = folder / cat("out", kill);
    test::Child job(test::on_ranks(ranks, {CHECKPOINT_PROBE, run}), output);
    // Half a second under mpirun, and a first save, pass before there is something to lose.
    const int ms = static_cast<int>(random() % static_cast<std::uint64_t>(most_ms));
    for (int waited = 0; waited < 30000 && last_committed(read_file(output), -1) < 0; waited += 5) {
      ASSERT_EQ(job.wait(0.005), -1) << read_file(output);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    ASSERT_EQ(job.wait(0), -1) << "the job ended by itself: " << read_file(output);
    job.kill_all();
    committed = last_committed(read_file(output), committed);
    for (const std::string& name :
         {checkpoint::iteration_name(committed + 1), checkpoint::iteration_name(committed + 2)}) {
      for (const auto& entry : std::filesystem::directory_iterator(run)) {
        if (entry.path().filename().string().rfind(name + ".tmp.", 0) == 0) ++during_a_save;
      }
    }
    const auto loaded = checkpoint::open_newest(Communicator(), run);
    ASSERT_TRUE(loaded.has_value());
    EXPECT_GE(loaded->step(), committed);
    EXPECT_LE(loaded->step(), committed + 1);
    ASSERT_TRUE(fake.equal(*loaded));
    // Only what was killed in the making does not verify.
    EXPECT_GE(checkpoint::iterations_in(run).size(),
              static_cast<std::size_t>(std::min<std::int64_t>(committed, 3)));
  }
  EXPECT_GE(during_a_save, kills / 4) << "the kills did not hit saves";
  EXPECT_GE(committed, kills);
}

TEST(checkpoint_kill, one_rank) {
  kill_often(1, 40, 150);
}

TEST(checkpoint_kill, three_ranks) {
  kill_often(3, 20, 200);
}

}  // namespace
}  // namespace wan
