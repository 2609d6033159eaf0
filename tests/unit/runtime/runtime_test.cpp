#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "comm/dry_run.hpp"
#include "runtime/cores.hpp"
#include "runtime/run_lock.hpp"
#include "runtime/signals.hpp"
#include "runtime/watchdog.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

void sleep_ms(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

TEST(watchdog, alarms_only_where_nothing_moves) {
  std::mutex mutex;
  std::vector<std::string> alarms;
  Watchdog dog([&](const std::string& section, double) {
    const std::lock_guard<std::mutex> lock(mutex);
    alarms.push_back(section);
  });
  Watchdog::Watch alive(dog, "alive", 0.3);
  Watchdog::Watch paused(dog, "paused", 0.05);
  paused.enter("outside", 0);
  { Watchdog::Watch ended(dog, "ended", 0.2); }
  Watchdog::Watch stuck(dog, "forward", 10);
  stuck.enter("backward", 0.2);
  for (int i = 0; i < 15; ++i) {
    alive.beat();
    sleep_ms(20);
  }
  const std::lock_guard<std::mutex> lock(mutex);
  ASSERT_GE(alarms.size(), 1U);
  for (const std::string& section : alarms) EXPECT_EQ(section, "backward");
}

TEST(signals, wait_until_they_are_asked_for) {
  for (const int number : {SIGUSR1, SIGTERM}) {
    const Signals signals;
    EXPECT_FALSE(signals.stop_asked());
    ASSERT_EQ(::kill(::getpid(), number), 0);
    EXPECT_TRUE(signals.stop_asked());
    EXPECT_TRUE(signals.stop_asked());
  }
  // What came is gone with the object: this process still runs, and a next one begins anew.
  EXPECT_FALSE(Signals().stop_asked());
}

TEST(cores, are_shared_by_the_ranks_of_a_node) {
  const int all = cores_allowed();
  EXPECT_GE(all, 1);
  dry_run(2, [&](const Communicator& node) { EXPECT_EQ(threads_per_rank(node), std::max(1, all / 2)); });
  dry_run(all + 1, [&](const Communicator& node) { EXPECT_EQ(threads_per_rank(node), 1); });
}

/// Short times, so that the test takes a second.
LockOptions quick() {
  LockOptions options;
  options.heartbeat_s = 0.05;
  options.stale_s = 0.5;
  options.wait_s = 0;
  options.same_job_wait_s = 0;
  return options;
}

/// What another process's lock file says.
std::string line_of(const std::string& machine, std::int64_t beat) {
  Json json;
  json.set("job", "17").set("host", "n2").set("machine", machine).set("pid", std::int64_t{1} << 22);
  json.set("token", "other").set("beat", beat);
  return json.dump() + "\n";
}

void expect_refused(const std::string& file, const LockOptions& options, const std::string& said) {
  try {
    const RunLock lock(file, this_process(), options);
    FAIL() << "the lock was given";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::requeue);
    EXPECT_NE(std::string(error.what()).find(said), std::string::npos) << error.what();
  }
}

TEST(run_lock, one_holder_at_a_time) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "lock";
  {
    const RunLock first(file, this_process(), quick());
    expect_refused(file, quick(), "in use by a process (pid ");
    sleep_ms(200);
    EXPECT_FALSE(first.lost());
    EXPECT_GE(Json::parse_file(file).at("beat").as_integer(), 1);
  }
  const RunLock second(file, this_process(), quick());
}

TEST(run_lock, waits_for_a_holder_that_leaves) {
  const test::TemporaryFolder folder;
  auto first = std::make_unique<RunLock>(folder / "lock", this_process(), quick());
  std::thread leaving([&] {
    sleep_ms(300);
    first.reset();
  });
  LockOptions patient = quick();
  patient.wait_s = 10;
  EXPECT_NO_THROW(RunLock(folder / "lock", this_process(), patient));
  leaving.join();
}

TEST(run_lock, a_silent_holder_elsewhere_is_taken_over_and_a_living_one_is_not) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "lock";
  write_file_atomically(file, line_of("another machine", 5));
  { const RunLock taken(file, this_process(), quick()); }

  write_file_atomically(file, line_of("another machine", 5));
  std::atomic<bool> living{true};
  std::thread other([&] {
    for (std::int64_t beat = 6; living; ++beat) {
      write_file_atomically(file, line_of("another machine", beat));
      sleep_ms(50);
    }
  });
  expect_refused(file, quick(), "in use by job 17 (pid 4194304 on n2)");
  living = false;
  other.join();
}

TEST(run_lock, whoever_was_taken_over_notices) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "lock";
  const RunLock lock(file, this_process(), quick());
  std::ofstream(file) << line_of("another machine", 0);
  for (int i = 0; i < 100 && !lock.lost(); ++i) sleep_ms(20);
  EXPECT_TRUE(lock.lost());
  sleep_ms(150);
  EXPECT_EQ(Json::parse_file(file).at("token").as_string(), "other");
}

TEST(run_lock, garbage_in_the_file_is_no_owner) {
  const test::TemporaryFolder folder;
  for (const char* content : {"", "{", "[1,2]", "{\"job\": 3}", "\xff\xfe"}) {
    write_file_atomically(folder / "lock", content);
    EXPECT_NO_THROW(RunLock(folder / "lock", this_process(), quick()));
  }
  EXPECT_THROW(RunLock(folder / "no/such/folder/lock", this_process(), quick()), CreateError);
}

}  // namespace
}  // namespace wan
