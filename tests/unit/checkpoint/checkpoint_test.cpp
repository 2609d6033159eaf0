#include "checkpoint/checkpoint.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/workers.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/retention.hpp"
#include "checkpoint/save.hpp"
#include "comm/dry_run.hpp"
#include "support/checkpoint_properties.hpp"
#include "support/temporary_folder.hpp"

namespace wan::checkpoint {
namespace {

namespace fs = std::filesystem;

void save_step(const std::string& run, std::int64_t step) {
  const Outcome outcome = save(Communicator(), run, test::FakeRun(1).snapshot(step, 2, 0, 1));
  ASSERT_TRUE(outcome.good()) << outcome.message;
}

void damage(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(fs::file_size(path) / 2));
  file.put('\x55');
  file.put('\xaa');
}

TEST(checkpoint, every_bit_comes_back_on_any_layout_of_faked_ranks) {
  const test::TemporaryFolder folder;
  for (int ranks = 1; ranks <= 4; ++ranks) {
    dry_run(ranks, [&](const Communicator& comm) {
      test::check_round_trip(comm, folder.path(), static_cast<std::uint64_t>(ranks));
    });
  }
}

TEST(checkpoint, a_checkpoint_of_one_layout_is_read_by_another_number_of_ranks) {
  const test::TemporaryFolder folder;
  const test::FakeRun run(9);
  dry_run(4, [&](const Communicator& comm) {
    EXPECT_TRUE(save(comm, folder.path(), run.snapshot(5, 1, comm.rank(), 4)).good());
  });
  for (const int ranks : {1, 3}) {
    dry_run(ranks, [&](const Communicator& comm) {
      const auto loaded = open_newest(comm, folder.path());
      ASSERT_TRUE(loaded.has_value());
      run.expect_equal(*loaded, 4, comm.rank(), ranks);
    });
  }
}

TEST(checkpoint, equal_states_are_equal_bytes_whoever_wrote_what) {
  const test::TemporaryFolder folder;
  const test::FakeRun run(9);
  for (int ranks = 1; ranks <= 3; ++ranks) {
    dry_run(ranks, [&](const Communicator& comm) {
      const Snapshot snapshot = run.snapshot(5, static_cast<std::uint64_t>(ranks), comm.rank(), ranks);
      EXPECT_TRUE(save(comm, folder / cat(ranks), snapshot).good());
    });
  }
  for (const char* name : {"model.h5", "optim.h5", "state.json", "config.yaml", "manifest.json"}) {
    const std::string first = read_file(folder / cat("1/iter_0000005/", name));
    for (int ranks = 2; ranks <= 3; ++ranks) {
      EXPECT_EQ(read_file(folder / cat(ranks, "/iter_0000005/", name)), first)
          << name << ", " << ranks << " ranks";
    }
  }
}

/// Written by the first release that had format 1; must load for ever.
TEST(checkpoint, parts_filled_when_written_make_the_same_bytes) {
  const test::TemporaryFolder folder;
  Snapshot snapshot = test::FakeRun(1).snapshot(3, 2, 0, 1);
  ASSERT_TRUE(save(Communicator(), folder / "memory", snapshot).good());
  for (SnapshotPart& part : snapshot.parts) {
    const auto bytes = static_cast<std::size_t>(part.part.elements() * bytes_of(part.dtype));
    part.fill = [from = part.data, bytes](void* to) {
      if (bytes > 0) std::memcpy(to, from, bytes);
    };
    part.data = nullptr;
  }
  ASSERT_TRUE(save(Communicator(), folder / "filled", snapshot).good());
  for (const char* name : {"model.h5", "optim.h5", manifest_name}) {
    const std::string path = "/" + iteration_name(3) + "/" + name;
    EXPECT_EQ(read_file(folder / "filled" + path), read_file(folder / "memory" + path)) << name;
  }
  // One that cannot be read leaves nothing.
  snapshot.step = 4;
  snapshot.parts.back().fill = [](void*) { throw DataError("source", "is gone"); };
  const Outcome failed = save(Communicator(), folder / "filled", snapshot);
  EXPECT_EQ(failed.code, ExitCode::data);
  EXPECT_NE(failed.message.find("source"), std::string::npos) << failed.message;
  EXPECT_EQ(iterations_in(folder / "filled"), std::vector<std::int64_t>{3});
}

// 20 MiB: enough that all threads get work.
TEST(checkpoint, threads_change_no_byte_and_find_the_same_damage) {
  const test::TemporaryFolder folder;
  const test::FakeRun run(4, 2600);
  const auto written = [&](const std::string& name, int ranks, int threads) {
    dry_run(ranks, [&](const Communicator& comm) {
      const Snapshot snapshot = run.snapshot(5, static_cast<std::uint64_t>(ranks), comm.rank(), ranks);
      const Outcome outcome = save(comm, folder / name, snapshot, {}, threads);
      EXPECT_TRUE(outcome.good()) << outcome.message;
    });
  };
  written("alone", 1, 1);
  written("four", 1, 4);
  written("shared", 2, 3);
  for (const char* name : {"model.h5", "optim.h5", "manifest.json"}) {
    const std::string alone = read_file(folder / cat("alone/iter_0000005/", name));
    EXPECT_TRUE(read_file(folder / cat("four/iter_0000005/", name)) == alone) << name;
    EXPECT_TRUE(read_file(folder / cat("shared/iter_0000005/", name)) == alone) << name;
  }
  EXPECT_EQ(open_newest(Communicator(), folder / "four", {-1, true, 4})->step(), 5);
  damage(folder / "four/iter_0000005/optim.h5");
  EXPECT_THROW((void)open_newest(Communicator(), folder / "four", {-1, true, 4}), DataError);
}

TEST(run_jobs, every_job_is_done_once_and_a_failure_ends_them_all) {
  for (const int workers : {1, 5}) {
    std::vector<std::atomic<int>> done(1000);
    run_jobs(workers, done.size(), [&](std::size_t job, std::size_t worker) {
      EXPECT_LT(worker, static_cast<std::size_t>(workers));
      ++done[job];
    });
    for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
    std::atomic<std::size_t> begun{0};
    const auto fail_at_ten = [&](std::size_t job, std::size_t) {
      ++begun;
      if (job == 10) throw IoError("file", 5, "cannot write");
    };
    EXPECT_THROW(run_jobs(workers, std::size_t{1} << 30, fail_at_ten), IoError);
    EXPECT_LT(begun, std::size_t{1} << 29);
  }
  EXPECT_EQ(workers_for(0, 16), 1);
  EXPECT_EQ(workers_for(std::int64_t{1} << 40, 16), 16);
}

TEST(checkpoint, format_1_loads) {
  const std::string run = std::string(WAN_SOURCE_DIR) + "/tests/unit/checkpoint/format_1";
  const auto loaded = open_newest(Communicator(), run);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->step(), 7);
  EXPECT_EQ(loaded->state().at("step").as_integer(), 7);
  EXPECT_EQ(loaded->config(), "seed: 1234\n");
  float weights[12];
  float moments[12];
  loaded->read("/transformer/proj.weight", ShardSpec::whole({3, 4}), DType::f32, weights);
  loaded->read("/exp_avg/transformer/proj.weight", ShardSpec::whole({3, 4}), DType::f32, moments);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(weights[i], 0.5F * static_cast<float>(i) - 2.0F);
    EXPECT_EQ(moments[i], 1.0F / static_cast<float>(i + 3));
  }
}

TEST(checkpoint, a_missing_or_empty_folder_is_a_fresh_start) {
  const test::TemporaryFolder folder;
  EXPECT_FALSE(open_newest(Communicator(), folder / "missing").has_value());
  EXPECT_FALSE(open_newest(Communicator(), folder.path()).has_value());
  for (const char* name :
       {"iter_0000004.tmp.17-3", "iter_", "iter_12", "iter_0000004x", "log", "iter_-000001"}) {
    make_folders(folder / name);
  }
  write_file_atomically(folder / tracker_name, "4\n");
  EXPECT_FALSE(open_newest(Communicator(), folder.path()).has_value());
  remove_leftovers(folder.path());
  EXPECT_FALSE(fs::exists(folder / "iter_0000004.tmp.17-3"));
  EXPECT_TRUE(fs::exists(folder / "iter_12"));
}

TEST(checkpoint, the_newest_good_one_wins_whatever_the_tracker_says) {
  const test::TemporaryFolder folder;
  for (const std::int64_t step : {1, 2, 3}) save_step(folder.path(), step);
  EXPECT_EQ(read_file(folder / tracker_name), "3\n");
  write_file_atomically(folder / tracker_name, "1\n");
  EXPECT_EQ(open_newest(Communicator(), folder.path())->step(), 3);
  damage(folder / "iter_0000003/optim.h5");
  EXPECT_EQ(open_newest(Communicator(), folder.path())->step(), 2);
  Wanted sampling;
  sampling.optimizer = false;
  EXPECT_EQ(open_newest(Communicator(), folder.path(), sampling)->step(), 3);
  Wanted first;
  first.step = 1;
  EXPECT_EQ(open_newest(Communicator(), folder.path(), first)->step(), 1);
  fs::remove(folder / "iter_0000002/manifest.json");
  EXPECT_EQ(open_newest(Communicator(), folder.path())->step(), 1);
}

void expect_error(const std::string& run, const Wanted& wanted, ExitCode code, const std::string& said) {
  try {
    (void)open_newest(Communicator(), run, wanted);
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(said), std::string::npos) << error.what();
  }
}

TEST(checkpoint, iterations_of_which_none_verifies_are_never_started_over) {
  const test::TemporaryFolder folder;
  for (const std::int64_t step : {1, 2}) save_step(folder.path(), step);
  Wanted absent;
  absent.step = 9;
  expect_error(folder.path(), absent, ExitCode::no_input, "holds no iteration 9; there are: 2 1");
  damage(folder / "iter_0000001/state.json");
  fs::resize_file(folder / "iter_0000002/model.h5", 100);
  expect_error(folder.path(), {}, ExitCode::data, "iter_0000002/model.h5: has 100 bytes, the manifest says");
  expect_error(folder.path(), {}, ExitCode::data, "iter_0000001/state.json: its bytes differ");
  fs::remove_all(folder / "iter_0000001");
  fs::remove_all(folder / "iter_0000002");
  make_folders(folder / "iter_0000007");
  expect_error(folder.path(), {}, ExitCode::data, "iter_0000007/manifest.json");
}

TEST(checkpoint, tensors_of_another_name_or_shape_are_not_read) {
  const test::TemporaryFolder folder;
  save_step(folder.path(), 1);
  const auto loaded = open_newest(Communicator(), folder.path());
  float value = 0;
  EXPECT_THROW(loaded->read("/no", ShardSpec::whole({1}), DType::f32, &value), DataError);
  EXPECT_THROW(loaded->read("/transformer/one", ShardSpec::whole({1, 1}), DType::f32, &value), DataError);
  EXPECT_THROW(loaded->read("/transformer/one", ShardSpec::whole({1}), DType::i64, &value), InternalError);
}

TEST(checkpoint, folders_of_two_steps_cannot_be_swapped) {
  const test::TemporaryFolder folder;
  for (const std::int64_t step : {1, 2, 3}) save_step(folder.path(), step);
  fs::rename(folder / "iter_0000003", folder / "aside");
  fs::copy(folder / "iter_0000002", folder / "iter_0000003");
  EXPECT_EQ(open_newest(Communicator(), folder.path())->step(), 2);
  fs::copy_file(folder / "aside/model.h5", folder / "iter_0000002/model.h5",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(open_newest(Communicator(), folder.path())->step(), 1);
}

TEST(retention, keeps_what_it_promises) {
  std::mt19937_64 random(3);
  const auto pick = [&](std::int64_t below) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(below));
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::int64_t> present;
    for (std::int64_t step = 1; step < 40; ++step) {
      if (pick(3) == 0) present.push_back(step);
    }
    if (present.empty()) continue;
    const Retention retention{pick(5), pick(2) * (1 + pick(8))};
    const std::int64_t verified =
        present[static_cast<std::size_t>(pick(static_cast<std::int64_t>(present.size())))];
    const std::vector<std::int64_t> removed = steps_to_remove(present, retention, verified);
    std::int64_t kept_good = 0;
    for (const std::int64_t step : present) {
      const bool gone = std::find(removed.begin(), removed.end(), step) != removed.end();
      const bool milestone = retention.keep_every > 0 && step % retention.keep_every == 0;
      EXPECT_FALSE(gone && (step >= verified || milestone || retention.keep_last == 0));
      if (step <= verified && !gone) ++kept_good;
    }
    const auto good =
        std::count_if(present.begin(), present.end(), [&](std::int64_t s) { return s <= verified; });
    EXPECT_GE(kept_good, std::min<std::int64_t>(retention.keep_last, good));
    if (retention.keep_last > 0 && retention.keep_every == 0) {
      EXPECT_EQ(kept_good, std::min<std::int64_t>(retention.keep_last, good));
    }
  }
}

TEST(retention, is_applied_after_each_save) {
  const test::TemporaryFolder folder;
  for (std::int64_t step = 1; step <= 7; ++step) {
    EXPECT_TRUE(save(Communicator(), folder.path(), test::FakeRun(1).snapshot(step, 2, 0, 1), {2, 3}).good());
  }
  EXPECT_EQ(iterations_in(folder.path()), (std::vector<std::int64_t>{7, 6, 3}));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 4);
}

}  // namespace
}  // namespace wan::checkpoint
