#include "prep/work_sharing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "base/file.hpp"
#include "support/small_dataset.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

TEST(WorkSharing, PendingRowsGoByVideo) {
  const test::TemporaryFolder folder;
  make_folders(folder / "shards");
  std::vector<Shard> shards;
  for (const std::int64_t number : {0, 1}) {
    create_shard(folder.path(), number, test::small_plan({}, number));
    shards.push_back(Shard::open_to_write(folder.path() + "/" + shard_name(number), std::nullopt));
  }
  // Of shard 1: video 0 has one row left, video 1 none.
  for (const std::int64_t row : {0, 2, 3}) shards[1].reject_row(row, "test");
  const std::vector<SourceTask> pending = pending_sources(shards, "/videos");
  ASSERT_EQ(pending.size(), 19U);
  EXPECT_EQ(pending[0].path, "/videos/clip-0.mp4");
  EXPECT_EQ(pending[0].clips.size(), 2U);
  EXPECT_EQ(pending[10].path, "/videos/clip-10.mp4");
  ASSERT_EQ(pending[10].clips.size(), 1U);
  EXPECT_EQ(pending[10].clips[0].shard, 1);
  EXPECT_EQ(pending[10].clips[0].row, 1);
  EXPECT_EQ(pending[10].clips[0].clip.start, 9);
}

TEST(WorkSharing, EveryVideoHasOneRankAndLoadsAreEven) {
  std::mt19937 random(1);
  std::vector<SourceTask> sources;
  std::int64_t total = 0;
  std::int64_t most = 0;
  for (int i = 0; i < 200; ++i) {
    SourceTask task{std::to_string(i), 16, static_cast<std::int64_t>(16 * (1 + random() % 3)), {}};
    task.clips.push_back({0, i, {0, static_cast<std::int64_t>(1 + 4 * (random() % 20))}});
    const std::int64_t pixels = task.clips[0].clip.frames * task.height * task.width;
    total += pixels;
    most = std::max(most, pixels);
    sources.push_back(task);
  }
  for (const int ranks : {1, 2, 3, 7}) {
    std::set<std::string> seen;
    for (int rank = 0; rank < ranks; ++rank) {
      std::int64_t load = 0;
      std::int64_t width = 0;
      for (const SourceTask& task : share_of(sources, rank, ranks)) {
        EXPECT_TRUE(seen.insert(task.path).second);
        load += task.clips[0].clip.frames * task.height * task.width;
        EXPECT_GE(task.width, width);
        width = task.width;
      }
      EXPECT_LE(load, total / ranks + most);
    }
    EXPECT_EQ(seen.size(), sources.size());
  }
}

TEST(WorkSharing, OneLongVideoIsSharedByItsClips) {
  std::vector<SourceTask> sources;
  for (int i = 0; i < 6; ++i) sources.push_back({"short", 16, 16, {{0, i, {0, 17}}}});
  SourceTask film{"film", 16, 16, {}};
  for (std::int64_t i = 0; i < 600; ++i) film.clips.push_back({0, 6 + i, {i * 17, 17}});
  sources.push_back(film);
  for (const int ranks : {1, 2, 3, 8}) {
    std::set<std::int64_t> rows;
    for (int rank = 0; rank < ranks; ++rank) {
      std::size_t clips = 0;
      std::size_t runs = 0;
      for (const SourceTask& task : share_of(sources, rank, ranks)) {
        ++runs;
        clips += task.clips.size();
        std::int64_t last = -1;
        for (const ClipTask& clip : task.clips) {
          EXPECT_TRUE(rows.insert(clip.row).second);
          EXPECT_GT(clip.clip.start, last);
          last = clip.clip.start;
        }
      }
      // All ranks are within half a part of each other, and no rank opens the film often.
      EXPECT_LE(clips, static_cast<std::size_t>(606 / ranks + 606 / (2 * ranks) + 2)) << ranks;
      EXPECT_LE(runs, 10U);
    }
    EXPECT_EQ(rows.size(), 606U);
  }
}

TEST(WorkSharing, OneLongVideoKeepsAllThreadsOfARankBusy) {
  SourceTask film{"film", 16, 16, {}};
  for (std::int64_t i = 0; i < 600; ++i) film.clips.push_back({0, i, {i * 17, 17}});
  EXPECT_EQ(share_of({film}, 0, 1).size(), 1U);
  const std::vector<SourceTask> runs = share_of({film}, 0, 1, 14);
  EXPECT_GE(runs.size(), 28U);
  EXPECT_LE(runs.size(), 29U);
  std::set<std::int64_t> rows;
  for (const SourceTask& run : runs) {
    EXPECT_LE(run.clips.size(), std::size_t{600 / 28 + 1});
    for (const ClipTask& clip : run.clips) EXPECT_TRUE(rows.insert(clip.row).second);
  }
  EXPECT_EQ(rows.size(), 600U);
}

}  // namespace
}  // namespace wan
