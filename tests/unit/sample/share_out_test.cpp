#include "sample/share_out.hpp"

#include <gtest/gtest.h>

#include <map>

namespace wan {
namespace {

TEST(share_of, every_video_is_made_once_and_every_branch_has_its_rank) {
  for (const bool guided : {false, true}) {
    for (std::int64_t videos = 1; videos <= 7; ++videos) {
      for (int ranks = 1; ranks <= 16; ++ranks) {
        std::map<std::int64_t, std::vector<Share>> makers;
        for (int rank = 0; rank < ranks; ++rank) {
          const Share share = share_of(rank, ranks, videos, guided);
          for (const std::int64_t video : share.videos) makers[video].push_back(share);
        }
        ASSERT_EQ(makers.size(), static_cast<std::size_t>(videos));
        int idle = ranks;
        for (const auto& [video, shares] : makers) {
          ASSERT_EQ(shares.size(), static_cast<std::size_t>(shares.front().branches));
          for (std::size_t i = 0; i < shares.size(); ++i) {
            EXPECT_EQ(shares[i].branch, static_cast<int>(i));
            EXPECT_EQ(shares[i].group, shares.front().group);
          }
          if (ranks > videos) idle -= static_cast<int>(shares.size());
        }
        if (guided && ranks > videos) {
          EXPECT_EQ(idle, std::max<std::int64_t>(0, ranks - 2 * videos));
        }
      }
    }
  }
}

TEST(batches_of, keep_the_order_and_grow_until_they_hold_enough) {
  EXPECT_TRUE(batches_of({}, {}, 10).empty());
  const std::vector<std::int64_t> tokens = {4, 99, 4, 99, 4, 99, 4, 99, 12, 99, 1};
  const std::vector<std::vector<std::int64_t>> expected = {{0, 2, 4}, {6, 8}, {10}};
  EXPECT_EQ(batches_of({0, 2, 4, 6, 8, 10}, tokens, 10), expected);
}

}  // namespace
}  // namespace wan
