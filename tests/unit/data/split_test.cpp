#include "data/split.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace wan {
namespace {

TEST(Split, SharesFollowTheWeights) {
  const SplitWeights weights{8, 1, 1};
  std::array<int, 3> counts{};
  constexpr int sources = 20000;
  for (int i = 0; i < sources; ++i)
    ++counts[static_cast<std::size_t>(split_of(cat("v/", i, ".mp4"), weights))];
  // Four standard deviations of a binomial.
  EXPECT_NEAR(counts[0], 16000, 4 * 57);
  EXPECT_NEAR(counts[1], 2000, 4 * 43);
  EXPECT_NEAR(counts[2], 2000, 4 * 43);
}

TEST(Split, StaysPutForSmallerWeightsOfOthers) {
  // A source of the first split stays there when the first split grows.
  for (int i = 0; i < 2000; ++i) {
    const std::string source = cat(i);
    if (split_of(source, {5, 3, 2}) == Split::train) {
      EXPECT_EQ(split_of(source, {8, 1, 1}), Split::train);
    }
  }
}

TEST(Split, AZeroWeightGetsNothing) {
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(split_of(cat(i), {1, 0, 0}), Split::train);
    EXPECT_NE(split_of(cat(i), {1, 0, 1}), Split::validation);
    EXPECT_NE(split_of(cat(i), {1, 1, 0}), Split::test);
  }
}

}  // namespace
}  // namespace wan
