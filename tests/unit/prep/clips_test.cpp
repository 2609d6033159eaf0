#include "prep/clips.hpp"

#include <gtest/gtest.h>

#include <random>

namespace wan {
namespace {

using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

Pairs pairs(const std::vector<Clip>& clips) {
  Pairs out;
  for (const Clip& clip : clips) out.emplace_back(clip.start, clip.frames);
  return out;
}

TEST(Clips, AreConsecutiveAndFourNPlusOne) {
  EXPECT_EQ(pairs(cut_clips(81, {})), (Pairs{{0, 81}}));
  EXPECT_EQ(pairs(cut_clips(321, {})), (Pairs{{0, 81}, {81, 81}, {162, 81}, {243, 77}}));
  EXPECT_EQ(pairs(cut_clips(4, {})), (Pairs{{0, 1}}));
  EXPECT_EQ(pairs(cut_clips(5, {})), (Pairs{{0, 5}}));
  EXPECT_EQ(pairs(cut_clips(82, {})), (Pairs{{0, 81}}));
  EXPECT_EQ(pairs(cut_clips(85, {})), (Pairs{{0, 81}}));
  EXPECT_EQ(pairs(cut_clips(86, {})), (Pairs{{0, 81}, {81, 5}}));
  EXPECT_EQ(pairs(cut_clips(82, {0, 81, 81, 1, {}, {}})), (Pairs{{0, 81}, {81, 1}}));
  EXPECT_EQ(pairs(cut_clips(200, {0, 81, 81, 81, {}, {}})), (Pairs{{0, 81}, {81, 81}}));
  // One-frame clips are whole ones.
  EXPECT_EQ(cut_clips(7, {0, 1, 1, 5, {}, {}}).size(), 7U);
  EXPECT_EQ(pairs(cut_clips(14, {10, 17, 17, 5, {}, {}})), (Pairs{{10, 1}}));
  EXPECT_TRUE(cut_clips(0, {}).empty());
  EXPECT_EQ(pairs(cut_clips(50, {10, 17, 20, 5, {}, {}})), (Pairs{{10, 17}, {30, 17}}));
  EXPECT_EQ(pairs(cut_clips(50, {10, 17, 5, 5, 3, {}})), (Pairs{{10, 17}, {15, 17}, {20, 17}}));
  EXPECT_TRUE(cut_clips(10, {10, 17, 17, 5, {}, {}}).empty());
}

TEST(Clips, StayInsideTheVideo) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const auto count = static_cast<std::int64_t>(random() % 400);
    const ClipRule rule{static_cast<std::int64_t>(random() % 50),
                        static_cast<std::int64_t>(1 + 4 * (random() % 25)),
                        static_cast<std::int64_t>(1 + random() % 100),
                        static_cast<std::int64_t>(1 + random() % 30),
                        {},
                        {}};
    std::int64_t next = rule.start;
    for (const Clip& clip : cut_clips(count, rule)) {
      EXPECT_EQ(clip.start, next);
      EXPECT_EQ(clip.frames % 4, 1);
      EXPECT_LE(clip.frames, rule.longest);
      EXPECT_LE(clip.start + clip.frames, count);
      // No four more frames would have fitted.
      EXPECT_TRUE(clip.frames == rule.longest || clip.start + clip.frames + 4 > count);
      next += rule.stride;
    }
    // What is left gives no clip: it is too short, as would be all behind it.
    EXPECT_TRUE(next >= count || (count - next < rule.min_tail && count - next < rule.longest));
  }
}

TEST(Clips, SingleFramesFollowLinspace) {
  const auto starts = [](std::int64_t count, std::int64_t start, std::int64_t number) {
    std::vector<std::int64_t> out;
    for (const Clip& clip : cut_clips(count, {start, 81, 81, 5, {}, number})) {
      EXPECT_EQ(clip.frames, 1);
      out.push_back(clip.start);
    }
    return out;
  };
  // numpy.linspace(0, 99, 10, dtype=int) and linspace(3, 29, 4, dtype=int)
  EXPECT_EQ(starts(100, 0, 10), (std::vector<std::int64_t>{0, 11, 22, 33, 44, 55, 66, 77, 88, 99}));
  EXPECT_EQ(starts(30, 3, 4), (std::vector<std::int64_t>{3, 11, 20, 29}));
  EXPECT_EQ(starts(30, 3, 1), (std::vector<std::int64_t>{3}));
  EXPECT_EQ(starts(2, 0, 5), (std::vector<std::int64_t>{0, 1}));
}

}  // namespace
}  // namespace wan
