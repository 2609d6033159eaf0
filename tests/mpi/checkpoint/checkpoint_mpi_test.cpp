#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/async_saver.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/save.hpp"
#include "comm/agree.hpp"
#include "support/checkpoint_properties.hpp"
#include "support/mpi_world.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

/// One folder for all ranks, made and removed by rank 0.
class SharedFolder {
 public:
  SharedFolder() {
    const Communicator& world = test::mpi_world().world();
    if (world.rank() == 0) own_ = std::make_unique<test::TemporaryFolder>();
    path_ = broadcast_text(world, own_ == nullptr ? "" : own_->path());
  }
  ~SharedFolder() { test::mpi_world().world().barrier(); }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::unique_ptr<test::TemporaryFolder> own_;
  std::string path_;
};

TEST(checkpoint_mpi, every_bit_comes_back_on_another_layout) {
  const SharedFolder folder;
  for (const std::uint64_t seed : {1, 2})
    test::check_round_trip(test::mpi_world().world(), folder.path(), seed);
}

TEST(checkpoint_mpi, saves_in_the_background_while_ranks_compute_and_talk) {
  const Communicator& world = test::mpi_world().world();
  const SharedFolder folder;
  const test::FakeRun run(7, 200);
  checkpoint::AsyncSaver saver(world, folder.path(), {2, 4}, test::mpi_world().watchdog(), 100);
  std::int64_t reported = 0;
  const auto note = [&](const std::optional<checkpoint::SaveReport>& report) {
    if (!report) return;
    EXPECT_TRUE(report->outcome.good()) << report->outcome.message;
    EXPECT_GT(report->step, reported);
    reported = report->step;
  };
  for (std::int64_t step = 1; step <= 6; ++step) {
    note(saver.start(run.snapshot(step, 3, world.rank(), world.size())));
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(sum_over(world, std::int64_t{1}), world.size());
      note(saver.poll());
    }
  }
  note(saver.wait());
  EXPECT_EQ(reported, 6);
  EXPECT_FALSE(saver.poll().has_value());
  if (world.rank() == 0) {
    EXPECT_EQ(checkpoint::iterations_in(folder.path()), (std::vector<std::int64_t>{6, 5, 4}));
  }
  const auto loaded = checkpoint::open_newest(world, folder.path());
  ASSERT_TRUE(loaded.has_value());
  EXPECT_TRUE(run.equal(*loaded));
  world.barrier();
}

TEST(checkpoint_mpi, failures_are_reports_on_all_ranks) {
  const Communicator& world = test::mpi_world().world();
  const SharedFolder folder;
  const test::FakeRun run(7);
  const std::string nowhere = "/proc/no-such-folder";
  checkpoint::AsyncSaver saver(world, nowhere, {}, test::mpi_world().watchdog(), 100);
  for (std::int64_t step = 1; step <= 4; ++step) {
    saver.start(run.snapshot(step, 3, world.rank(), world.size()));
    const auto report = saver.wait();
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->outcome.code, ExitCode::cannot_create);
    EXPECT_NE(report->outcome.message.find(nowhere), std::string::npos) << report->outcome.message;
    EXPECT_EQ(report->outcome.rank, 0);
  }
}

TEST(checkpoint_mpi, ranks_that_disagree_are_told_and_nothing_is_left) {
  const Communicator& world = test::mpi_world().world();
  const SharedFolder folder;
  const test::FakeRun run(7);
  checkpoint::Snapshot twice = run.snapshot(1, 3, 0, 1);
  if (world.size() > 1) {
    const Outcome outcome = checkpoint::save(world, folder.path(), twice);
    EXPECT_EQ(outcome.code, ExitCode::internal);
    EXPECT_NE(outcome.message.find("the ranks bring"), std::string::npos) << outcome.message;
  }
  if (world.rank() == 0) twice.parts.pop_back();
  if (world.rank() > 0) {
    twice.parts = {twice.parts.back()};
    twice.parts[0].dtype = DType::bf16;
  } else {
    twice.parts.push_back(run.snapshot(1, 3, 0, 1).parts.back());
  }
  if (world.size() > 1) {
    const Outcome outcome = checkpoint::save(world, folder.path(), twice);
    EXPECT_NE(outcome.message.find("ranks differ"), std::string::npos) << outcome.message;
  }
  EXPECT_FALSE(checkpoint::open_newest(world, folder.path()).has_value());
  EXPECT_FALSE(checkpoint::open_newest(world, folder.path() + "/missing").has_value());
}

}  // namespace
}  // namespace wan
