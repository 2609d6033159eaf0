#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "support/run_command.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

using test::CommandResult;

int times(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// The first line that holds `part`.
std::string line_with(const std::string& text, const std::string& part) {
  for (const std::string& line : split(text, '\n')) {
    if (line.find(part) != std::string::npos) return line;
  }
  return "";
}

CommandResult probe(int ranks, const std::string& mode) {
  return test::run_command(test::on_ranks(ranks, {RUNTIME_PROBE, mode}), 40);
}

void wait_for(const std::string& file, const std::string& text) {
  for (int i = 0; i < 2000; ++i) {
    std::ifstream in(file);
    if (in && read_file(file).find(text) != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL() << file << " never said '" << text << "'";
}

void touch(const std::string& path) {
  std::ofstream(path).put('\n');
}

struct Ending {
  const char* mode;
  int code;
  const char* message;
};

/// One message whatever fails, the program's own exit code from mpirun, and never a hang (run_command's
/// limit).
TEST(run_main, ends_all_ranks_with_one_message_and_its_code) {
  const Ending endings[] = {
      {"good", 0, nullptr},
      {"requeue", 75, nullptr},
      {"all-fail", 65, "clip.mp4: has no video stream"},
      {"together", 65, "clip.mp4: has no video stream"},
      {"one-fails", 65, "clip.mp4: has no video stream"},
      {"two-fail", 74, "model.h5: cannot read (Input/output error)"},
      {"foreign", 70, "vector::_M_range_check"},
      {"unwind", 81, "step 7, loss: is NaN"},
      {"dangle", 81, "step 7, loss: is NaN"},
  };
  for (const Ending& ending : endings) {
    for (const int ranks : {1, 3}) {
      if (ranks == 1 && std::string(ending.mode) == "two-fail") continue;
      SCOPED_TRACE(cat(ending.mode, " on ", ranks));
      const CommandResult result = probe(ranks, ending.mode);
      EXPECT_EQ(result.code, ending.code) << result.output;
      if (ending.message == nullptr) continue;
      EXPECT_EQ(times(result.output, ending.message), 1) << result.output;
      if (ranks == 1) continue;
      const std::string mode = ending.mode;
      const int rank = mode == "all-fail" || mode == "foreign" ? 0 : mode == "two-fail" ? 1 : 2;
      EXPECT_EQ(times(result.output, cat("rank ", rank, " on ", host_name(), ": ", ending.message)), 1)
          << result.output;
      EXPECT_EQ(times(line_with(result.output, ending.message), "rank "), 1) << result.output;
    }
  }
}

TEST(run_main, a_killed_rank_takes_the_others_with_it) {
  const CommandResult result = probe(3, "kill");
  EXPECT_EQ(result.code, 137) << result.output;
}

TEST(run_main, the_watchdog_ends_a_hang_naming_section_rank_and_host) {
  const CommandResult result = probe(2, "hang");
  EXPECT_EQ(result.code, 80) << result.output;
  EXPECT_GE(times(result.output, cat(" on ", host_name(), " showed no progress in section 'forward'")), 1)
      << result.output;
}

TEST(run_main, tasks_that_srun_started_apart_are_refused) {
  const CommandResult result =
      test::run_command({RUNTIME_PROBE, "good"}, 20, {{"SLURM_STEP_NUM_TASKS", "4"}});
  EXPECT_EQ(result.code, 71) << result.output;
  EXPECT_EQ(times(result.output, "srun started 4 tasks"), 1) << result.output;
  EXPECT_EQ(test::run_command({RUNTIME_PROBE, "good"}, 20, {{"SLURM_STEP_NUM_TASKS", "1"}}).code, 0);
}

TEST(run_folder, signals_and_touch_files_reach_all_ranks) {
  for (const int ranks : {1, 2}) {
    for (const int number : {SIGUSR1, SIGTERM}) {
      const test::TemporaryFolder folder;
      const std::string run = folder / "run";
      test::Child child(test::on_ranks(ranks, {RUNTIME_PROBE, "loop", run}), folder / "out");
      wait_for(folder / "out", "running");
      touch(run + "/SAVE_NOW");
      wait_for(folder / "out", "save");
      // mpirun answers SIGTERM by killing; srun passes it on. So it goes to a rank itself.
      if (ranks == 1 || number == SIGUSR1) {
        ::kill(child.pid(), number);
        EXPECT_EQ(child.wait(20), 75) << read_file(folder / "out");
      } else {
        touch(run + "/STOP");
        EXPECT_EQ(child.wait(20), 0) << read_file(folder / "out");
      }
      EXPECT_EQ(times(read_file(folder / "out"), "save"), 1);
      EXPECT_TRUE(std::ifstream(run + cat("/log/rank", ranks - 1, ".txt")).good());
      const Json line = Json::parse(read_file(run + "/provenance.jsonl"), "provenance");
      EXPECT_EQ(line.at("ranks").as_integer(), ranks);
      EXPECT_EQ(line.at("hosts").at(host_name()).as_integer(), ranks);
    }
  }
}

TEST(run_folder, one_that_cannot_be_made_is_refused_before_anything_else) {
  for (const int ranks : {1, 2}) {
    const CommandResult result =
        test::run_command(test::on_ranks(ranks, {RUNTIME_PROBE, "loop", "/proc/no/such/run"}), 40);
    EXPECT_EQ(result.code, 73) << result.output;
    EXPECT_EQ(times(result.output, "/proc/no/such/run/log: cannot create folder"), 1) << result.output;
  }
}

TEST(run_folder, a_second_job_is_refused_and_a_killed_one_is_taken_over) {
  const test::TemporaryFolder folder;
  const std::string run = folder / "run";
  {
    test::Child first(test::on_ranks(2, {RUNTIME_PROBE, "loop", run}), folder / "first");
    wait_for(folder / "first", "running");
    for (const int ranks : {1, 2}) {
      const CommandResult second = test::run_command(test::on_ranks(ranks, {RUNTIME_PROBE, "loop", run}), 40);
      EXPECT_EQ(second.code, 75) << second.output;
      EXPECT_EQ(times(second.output, "the run folder is in use by a process (pid "), 1) << second.output;
    }
    first.kill_all();
  }
  test::Child third({RUNTIME_PROBE, "loop", run}, folder / "third");
  wait_for(folder / "third", "running");
  EXPECT_EQ(times(read_file(folder / "third"), "taken over from"), 1);
  touch(run + "/STOP");
  EXPECT_EQ(third.wait(20), 0);
  EXPECT_EQ(read_file(run + "/lock"), "");
}

}  // namespace
}  // namespace wan
