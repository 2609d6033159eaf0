#include "train/loss_totals.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "comm/dry_run.hpp"

namespace wan {
namespace {

const std::vector<double> edges = {0.25, 0.5, 0.75};

std::vector<SampleLoss> random_losses(std::uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> real(0.1, 9);
  std::vector<SampleLoss> out;
  for (int i = 0; i < count; ++i) {
    // The top level stays empty.
    const auto sigma = static_cast<float>(real(random) / 12);
    out.push_back({sigma, real(random), real(random), 1 + static_cast<std::int64_t>(random() % 100)});
  }
  return out;
}

std::set<std::string> keys_of(const Json& json) {
  std::set<std::string> keys;
  for (const auto& [key, value] : json.as_object()) keys.insert(key);
  return keys;
}

TEST(loss_totals, are_sums_over_elements_not_means_over_samples) {
  LossTotals totals(edges);
  EXPECT_EQ(totals.weighted(), 0.0);
  EXPECT_EQ(totals.raw(), 0.0);
  EXPECT_EQ(totals.samples(), 0);
  totals.add({{0.1F, 6, 3, 1}, {0.2F, 10, 5, 7}});
  totals.add({{0.6F, 0, 8, 8}});
  EXPECT_DOUBLE_EQ(totals.weighted(), 1.0);
  EXPECT_DOUBLE_EQ(totals.raw(), 1.0);
  EXPECT_EQ(totals.samples(), 3);
  Json line;
  totals.write(line);
  EXPECT_EQ(keys_of(line),
            (std::set<std::string>{"loss", "loss_unweighted", "loss_sigma_0_0.25", "loss_sigma_0.5_0.75"}));
  EXPECT_DOUBLE_EQ(line.at("loss_sigma_0_0.25").as_number(), 1.0);
  EXPECT_DOUBLE_EQ(line.at("loss_sigma_0.5_0.75").as_number(), 1.0);
}

// A level on an edge belongs above it; 0 and 1 have a level too.
TEST(loss_totals, every_level_falls_into_one_bin) {
  const std::pair<float, const char*> cases[] = {
      {0.0F, "loss_sigma_0_0.25"},   {0.2499F, "loss_sigma_0_0.25"}, {0.25F, "loss_sigma_0.25_0.5"},
      {0.5F, "loss_sigma_0.5_0.75"}, {0.75F, "loss_sigma_0.75_1"},   {1.0F, "loss_sigma_0.75_1"}};
  for (const auto& [sigma, key] : cases) {
    LossTotals totals(edges);
    totals.add({{sigma, 1, 2, 4}});
    Json line;
    totals.write(line);
    EXPECT_EQ(keys_of(line), (std::set<std::string>{"loss", "loss_unweighted", key})) << sigma;
    EXPECT_DOUBLE_EQ(line.at(key).as_number(), 0.5);
  }
  LossTotals whole({});
  whole.add({{0.3F, 1, 2, 4}});
  Json line;
  whole.write(line);
  EXPECT_EQ(keys_of(line), (std::set<std::string>{"loss", "loss_unweighted", "loss_sigma_0_1"}));
}

TEST(loss_totals, add_up_over_ranks_to_what_one_rank_would_say) {
  const std::vector<SampleLoss> losses = random_losses(3, 41);
  LossTotals one(edges);
  one.add(losses);
  one.reduce(Communicator());
  Json expected;
  one.write(expected);
  for (int ranks = 1; ranks <= 4; ++ranks) {
    dry_run(ranks, [&](const Communicator& comm) {
      LossTotals totals(edges);
      // With four ranks the last has nothing to add.
      const int adding = std::min(ranks, 3);
      for (std::size_t i = 0; i < losses.size(); ++i) {
        if (static_cast<int>(i) % adding == comm.rank()) totals.add({losses[i]});
      }
      totals.reduce(comm);
      EXPECT_EQ(totals.samples(), 41);
      Json found;
      totals.write(found);
      ASSERT_EQ(keys_of(found), keys_of(expected));
      for (const auto& [key, value] : expected.as_object()) {
        EXPECT_NEAR(found.at(key).as_number(), value.as_number(), 1e-14 * value.as_number()) << key;
      }
    });
  }
}

TEST(loss_totals, samples_that_are_not_finite_on_one_rank_are_counted_on_all) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    dry_run(3, [&](const Communicator& comm) {
      LossTotals totals(edges);
      EXPECT_EQ(totals.finite_samples(), 0);
      totals.add({{0.5F, comm.rank() == 1 ? bad : 1.0, 1, 4}, {0.5F, 1, comm.rank() == 1 ? bad : 1.0, 4}});
      EXPECT_EQ(totals.finite_samples(), comm.rank() == 1 ? 0 : 2);
      totals.reduce(comm);
      EXPECT_EQ(totals.samples(), 6);
      EXPECT_EQ(totals.finite_samples(), 4);
      EXPECT_FALSE(std::isfinite(totals.weighted() + totals.raw()));
    });
  }
}

}  // namespace
}  // namespace wan
