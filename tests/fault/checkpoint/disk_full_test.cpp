#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "base/file.hpp"
#include "base/text.hpp"
#include "checkpoint/async_saver.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/save.hpp"
#include "comm/agree.hpp"
#include "support/checkpoint_properties.hpp"
#include "support/mpi_world.hpp"
#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace wan::checkpoint {
namespace {

namespace fs = std::filesystem;

/// A file system of a few megabytes, mounted by rank 0; needs root.
class SharedDisk {
 public:
  static constexpr std::int64_t bytes = std::int64_t{3} << 20;

  SharedDisk() {
    const Communicator& world = test::mpi_world().world();
    if (world.rank() == 0) own_ = std::make_unique<test::SmallDisk>(bytes);
    problem_ = broadcast_text(world, own_ == nullptr ? "" : own_->problem());
    path_ = broadcast_text(world, own_ == nullptr ? "" : own_->path());
  }
  ~SharedDisk() { test::mpi_world().world().barrier(); }
  SharedDisk(const SharedDisk&) = delete;
  SharedDisk& operator=(const SharedDisk&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

  /// Rank 0 fills the disk up to `left` free bytes; others wait.
  void leave_free(std::int64_t left) const {
    if (own_ != nullptr) own_->leave_free(left);
    test::mpi_world().world().barrier();
  }

 private:
  std::unique_ptr<test::SmallDisk> own_;
  std::string path_;
  std::string problem_;
};

std::int64_t bytes_under(const std::string& path) {
  std::int64_t total = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) total += static_cast<std::int64_t>(entry.file_size());
  }
  return total;
}

TEST(disk_full, a_save_fails_on_all_ranks_wherever_space_ends_and_loses_nothing) {
  const Communicator& world = test::mpi_world().world();
  const SharedDisk disk;
  NEED_SMALL_DISK(disk);
  const std::string run = disk.path() + "/run";
  const test::FakeRun fake(3);
  const auto save_step = [&](std::int64_t step) {
    const auto begin = std::chrono::steady_clock::now();
    const Outcome outcome = save(world, run, fake.snapshot(step, 5, world.rank(), world.size()));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
    return outcome;
  };
  ASSERT_TRUE(save_step(1).good());
  const std::int64_t size = bytes_under(run);
  int failed = 0;
  int refused_at_once = 0;
  std::int64_t step = 2;
  // From nothing free to enough, page by page: space ends in the files' creation, in each reservation, in the
  // texts, in the manifest and in the tracker.
  for (std::int64_t left = 0; left < size + (64 << 10); left += 4096) {
    SCOPED_TRACE(cat(left, " bytes free of the ", size, " that a checkpoint takes"));
    disk.leave_free(left);
    const std::int64_t newest = step - 1;
    const Outcome outcome = save_step(step);
    const auto loaded = open_newest(world, run);
    ASSERT_TRUE(loaded.has_value());
    EXPECT_TRUE(fake.equal(*loaded));
    if (outcome.good()) {
      EXPECT_EQ(loaded->step(), step);
      world.barrier();
      if (world.rank() == 0) remove_iteration(run, newest);
      ++step;
    } else {
      ++failed;
      EXPECT_EQ(outcome.code, ExitCode::io) << outcome.message;
      EXPECT_NE(outcome.message.find("No space left"), std::string::npos) << outcome.message;
      if (outcome.message.find("a checkpoint needs ") != std::string::npos) ++refused_at_once;
      EXPECT_EQ(loaded->step(), newest);
      if (world.rank() == 0) {
        for (const auto& entry : fs::directory_iterator(run)) {
          EXPECT_EQ(entry.path().filename().string().find(".tmp"), std::string::npos) << entry.path();
        }
      }
    }
    world.barrier();
  }
  EXPECT_GE(failed, 10);
  EXPECT_GE(refused_at_once, 5);
  EXPECT_GE(step, 3);
}

TEST(disk_full, training_goes_on_and_saves_again_when_there_is_room) {
  const Communicator& world = test::mpi_world().world();
  const SharedDisk disk;
  NEED_SMALL_DISK(disk);
  const std::string run = disk.path() + "/run";
  const test::FakeRun fake(3);
  AsyncSaver saver(world, run, {}, test::mpi_world().watchdog(), 60);
  const auto finish = [&](std::int64_t step) {
    saver.start(fake.snapshot(step, 5, world.rank(), world.size()));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(sum_over(world, std::int64_t{1}), world.size());
    return saver.wait()->outcome;
  };
  ASSERT_TRUE(finish(1).good());
  disk.leave_free(8192);
  for (const std::int64_t step : {2, 3}) {
    const Outcome outcome = finish(step);
    EXPECT_EQ(outcome.code, ExitCode::io);
    EXPECT_NE(outcome.message.find("a checkpoint needs "), std::string::npos) << outcome.message;
    EXPECT_NE(outcome.message.find("found 8192 bytes free"), std::string::npos) << outcome.message;
  }
  EXPECT_EQ(open_newest(world, run)->step(), 1);
  disk.leave_free(SharedDisk::bytes);
  EXPECT_TRUE(finish(4).good());
  EXPECT_EQ(open_newest(world, run)->step(), 4);
}

/// One rank cannot write past a few kilobytes: its transfers fail as on a broken disk, the others' do not.
TEST(disk_full, a_write_that_fails_on_one_rank_is_reported_on_all) {
  const Communicator& world = test::mpi_world().world();
  std::unique_ptr<test::TemporaryFolder> own;
  if (world.rank() == 0) own = std::make_unique<test::TemporaryFolder>();
  const std::string run = broadcast_text(world, own == nullptr ? "" : own->path());
  const test::FakeRun fake(3, 30);
  ASSERT_TRUE(save(world, run, fake.snapshot(1, 5, world.rank(), world.size())).good());

  const int victim = world.size() - 1;
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_IGN);
  if (world.rank() == victim) {
    struct rlimit small = before;
    small.rlim_cur = 8192;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  }
  const Outcome outcome = save(world, run, fake.snapshot(2, 5, world.rank(), world.size()));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_DFL);
  EXPECT_FALSE(outcome.good());
  EXPECT_EQ(outcome.rank, victim) << outcome.message;

  EXPECT_EQ(open_newest(world, run)->step(), 1);
  const Outcome next = save(world, run, fake.snapshot(3, 5, world.rank(), world.size()));
  EXPECT_TRUE(next.good()) << next.message;
  EXPECT_EQ(open_newest(world, run)->step(), 3);
  world.barrier();
}

}  // namespace
}  // namespace wan::checkpoint
