#include "data/packing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <set>

#include "base/philox.hpp"
#include "listed_source.hpp"

namespace wan {
namespace {

/// First-fit decreasing as its definition reads.
std::vector<PackPlan> slow_first_fit(const std::vector<std::int64_t>& sizes, std::int64_t capacity) {
  std::vector<std::int64_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    return sizes[static_cast<std::size_t>(a)] > sizes[static_cast<std::size_t>(b)];
  });
  std::vector<PackPlan> bins;
  std::vector<std::int64_t> fill;
  for (const std::int64_t item : order) {
    const std::int64_t size = sizes[static_cast<std::size_t>(item)];
    std::size_t bin = 0;
    while (bin < bins.size() && fill[bin] + size > capacity) ++bin;
    if (bin == bins.size()) {
      bins.emplace_back();
      fill.push_back(0);
    }
    bins[bin].push_back(item);
    fill[bin] += size;
  }
  return bins;
}

TEST(Packing, EqualsTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::int64_t> sizes(random() % 60);
    for (std::int64_t& size : sizes) size = 1 + random() % 120;
    const std::int64_t capacity = 20 + random() % 100;
    EXPECT_EQ(first_fit_decreasing(sizes, capacity), slow_first_fit(sizes, capacity));
  }
}

TEST(Packing, AMillionItemsTakeSeconds) {
  std::mt19937 random(2);
  std::vector<std::int64_t> sizes(1000000);
  for (std::int64_t& size : sizes) size = 1 + random() % 1000;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_GT(first_fit_decreasing(sizes, 5000).size(), 90000U);
  // A quadratic search would take minutes; the margin is for slow machines and sanitizers.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Packing, PacksKeepCapacityAndCoverTheOrderOnce) {
  std::mt19937 random(3);
  const test::ListedSource source = test::ListedSource::random(300, random);
  const std::vector<std::int64_t> order = epoch_order(source, 5, 2);
  for (const std::int64_t window : {0, 1, 7, 150, 1000}) {
    const Packing packing{90, window};
    const PackBounds bounds = pack_bounds(source, packing);
    std::multiset<std::int64_t> seen;
    for (const PackPlan& pack : form_packs(source, order, packing)) {
      std::int64_t tokens = 0;
      std::int64_t text = 0;
      for (const std::int64_t index : pack) {
        tokens += source.info(index).latent.tokens();
        text += std::max(source.info(index).text_rows, source.null_text().rows);
        EXPECT_LE(source.info(index).latent.tokens(), bounds.longest);
        seen.insert(index);
      }
      EXPECT_TRUE(tokens <= packing.tokens || pack.size() == 1);
      EXPECT_LE(tokens, bounds.tokens);
      EXPECT_LE(text, bounds.text_rows);
      EXPECT_LE(static_cast<std::int64_t>(pack.size()), bounds.samples);
      if (window == 0) {
        EXPECT_EQ(pack.size(), 1U);
      }
    }
    EXPECT_EQ(seen, std::multiset<std::int64_t>(order.begin(), order.end()));
  }
}

TEST(Packing, PacksComeInTheOrderOfTheirFirstSamples) {
  std::mt19937 random(4);
  const test::ListedSource source = test::ListedSource::random(100, random);
  const std::vector<std::int64_t> order = epoch_order(source, 5, 0);
  std::vector<std::size_t> place(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) place[static_cast<std::size_t>(order[i])] = i;
  std::size_t before = 0;
  for (const PackPlan& pack : form_packs(source, order, {120, 25})) {
    const std::size_t first = place[static_cast<std::size_t>(pack.front())];
    EXPECT_TRUE(first == 0 || first > before);
    before = first;
    for (std::size_t i = 1; i < pack.size(); ++i) {
      EXPECT_LT(place[static_cast<std::size_t>(pack[i - 1])], place[static_cast<std::size_t>(pack[i])]);
    }
  }
}

TEST(EpochOrder, FollowsTheKeysAndNotTheIndex) {
  std::mt19937 random(5);
  test::ListedSource source = test::ListedSource::random(200, random);
  const auto ids = [](const test::ListedSource& of, const std::vector<std::int64_t>& order) {
    std::vector<std::uint64_t> out;
    for (const std::int64_t index : order) out.push_back(of.info(index).id);
    return out;
  };
  const auto first = ids(source, epoch_order(source, 7, 3));
  EXPECT_NE(first, ids(source, epoch_order(source, 7, 4)));
  EXPECT_NE(first, ids(source, epoch_order(source, 8, 3)));
  const auto key = [](std::uint64_t id) {
    const Random4 v = philox(random_key(7, id, 3, Purpose::order), 0);
    return v.v[0] + (std::uint64_t{v.v[1]} << 32);
  };
  for (std::size_t i = 1; i < first.size(); ++i) EXPECT_LT(key(first[i - 1]), key(first[i]));
  std::shuffle(source.infos.begin(), source.infos.end(), random);
  EXPECT_EQ(first, ids(source, epoch_order(source, 7, 3)));
}

}  // namespace
}  // namespace wan
