#include "data/batches.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.hpp"
#include "listed_source.hpp"

namespace wan {
namespace {

constexpr Packing packing{60, 20};

/// The ids of `steps` steps in the order in which all ranks together take them.
std::vector<std::uint64_t> ids_taken(const SampleSource& source, BatchLayout layout, int steps,
                                     LoaderState start) {
  std::vector<BatchSequence> ranks;
  for (layout.dp_rank = 0; layout.dp_rank < layout.dp_size; ++layout.dp_rank) {
    ranks.emplace_back(source, 11, packing, layout, start);
  }
  std::vector<std::uint64_t> out;
  for (int step = 0; step < steps; ++step) {
    std::vector<BatchPlan> plans;
    for (BatchSequence& rank : ranks) plans.push_back(rank.next());
    for (std::size_t micro = 0; micro < plans[0].micro_steps.size(); ++micro) {
      for (const BatchPlan& plan : plans) {
        EXPECT_EQ(static_cast<std::int64_t>(plan.micro_steps[micro].size()), layout.micro);
        for (const VisitedPack& pack : plan.micro_steps[micro]) {
          for (const std::int64_t index : pack.plan) {
            out.push_back(source.info(index).id + static_cast<std::uint64_t>(pack.epoch));
          }
        }
      }
    }
  }
  return out;
}

TEST(Batches, EveryLayoutTakesTheSameSamples) {
  std::mt19937 random(1);
  const test::ListedSource source = test::ListedSource::random(50, random);
  const auto one = ids_taken(source, {12, 1, 0, 1}, 10, {});
  EXPECT_EQ(one, ids_taken(source, {12, 3, 0, 1}, 10, {}));
  EXPECT_EQ(one, ids_taken(source, {12, 1, 0, 4}, 10, {}));
  EXPECT_EQ(one, ids_taken(source, {12, 2, 0, 3}, 10, {}));
  EXPECT_EQ(one, ids_taken(source, {12, 12, 0, 1}, 10, {}));
}

TEST(Batches, EveryEpochTakesEverySampleOnce) {
  std::mt19937 random(2);
  const test::ListedSource source = test::ListedSource::random(23, random);
  BatchSequence sequence(source, 3, packing, {4, 1, 0, 1}, {});
  std::map<std::int64_t, std::multiset<std::int64_t>> taken;
  std::int64_t samples = 0;
  BatchPlan plan;
  do {
    plan = sequence.next();
    for (const auto& micro_step : plan.micro_steps) {
      for (const VisitedPack& pack : micro_step) taken[pack.epoch].insert(pack.plan.begin(), pack.plan.end());
    }
    samples += plan.samples;
    EXPECT_EQ(plan.after.samples, samples);
  } while (plan.after.epoch < 5);
  for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
    EXPECT_EQ(taken[epoch].size(), 23U);
    for (std::int64_t index = 0; index < 23; ++index) EXPECT_EQ(taken[epoch].count(index), 1U);
  }
}

TEST(Batches, ContinuesWhereItStoodOnAnyNumberOfRanks) {
  std::mt19937 random(3);
  const test::ListedSource source = test::ListedSource::random(37, random);
  const auto whole = ids_taken(source, {6, 1, 0, 1}, 12, {});
  for (int stop = 0; stop <= 12; ++stop) {
    BatchSequence before(source, 11, packing, {6, 1, 0, 1}, {});
    LoaderState state;
    for (int step = 0; step < stop; ++step) state = before.next().after;
    state = loader_state_from_json(Json::parse(to_json(state).dump(), "test"), "test");
    const auto rest = ids_taken(source, {6, 2, 0, 3}, 12 - stop, state);
    EXPECT_TRUE(std::equal(rest.rbegin(), rest.rend(), whole.rbegin())) << stop;
  }
}

TEST(Batches, ASmallDataSetFillsALargeBatch) {
  std::mt19937 random(4);
  const test::ListedSource source = test::ListedSource::random(1, random);
  BatchSequence sequence(source, 3, packing, {8, 1, 0, 1}, {});
  const BatchPlan plan = sequence.next();
  EXPECT_EQ(plan.samples, 8);
  EXPECT_EQ(plan.after, (LoaderState{7, 1, 8}));
}

TEST(Batches, RefusesWhatCannotBeShared) {
  std::mt19937 random(5);
  const test::ListedSource source = test::ListedSource::random(3, random);
  EXPECT_THROW(BatchSequence(source, 1, packing, {6, 4, 0, 1}, {}), ConfigError);
  EXPECT_THROW(BatchSequence(source, 1, packing, {6, 1, 0, 4}, {}), ConfigError);
  EXPECT_THROW(BatchSequence(source, 1, packing, {0, 1, 0, 1}, {}), ConfigError);
  EXPECT_THROW(BatchSequence(test::ListedSource(), 1, packing, {1, 1, 0, 1}, {}), DataError);
}

TEST(Batches, RefusesAStateThatNobodyWrote) {
  for (const char* text :
       {"{}", "{\"epoch\":-1,\"pack\":0,\"samples\":0}", "{\"epoch\":0,\"pack\":0.5,\"samples\":0}",
        "{\"epoch\":0,\"pack\":\"0\",\"samples\":0}", "[]"}) {
    EXPECT_THROW((void)loader_state_from_json(Json::parse(text, "test"), "state.json"), DataError) << text;
  }
}

}  // namespace
}  // namespace wan
