#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "checkpoint/names.hpp"
#include "data/split.hpp"
#include "support/run_command.hpp"
#include "support/small_dataset.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

// What training does when a loss or a gradient is no number.
namespace wan::test {
namespace {

CommandResult train(const std::string& run, int ranks, const std::vector<std::string>& more) {
  return run_command(on_ranks(ranks, small_training(run, more)));
}

TEST(not_finite, too_many_skipped_updates_in_a_row_end_the_run_on_every_rank) {
  const TemporaryFolder folder;
  for (const int ranks : {1, 2}) {
    // A rate that throws the weights out of range in one step.
    const std::string run = folder / std::to_string(ranks);
    const CommandResult result = train(
        run, ranks, {"optimizer.lr=1e30", "train.skipped_updates_allowed=2", "checkpoint.save_interval=1"});
    EXPECT_EQ(result.code, 81) << result.output;
    EXPECT_NE(result.output.find("not finite for 3 steps in a row, allowed 2"), std::string::npos)
        << result.output;
  }
}

// The last update makes the weights infinite; no later step would meet them.
TEST(not_finite, weights_that_are_no_numbers_end_the_run_and_are_never_saved) {
  const TemporaryFolder folder;
  for (const char* storage : {"fp32", "bf16"}) {
    for (const int ranks : {1, 2}) {
      const std::string run = folder / cat(storage, ranks);
      const std::string dtype = std::string("model.params_dtype=") + storage;
      ASSERT_EQ(train(run, ranks, {dtype, "train.train_iters=2", "checkpoint.save_interval=2"}).code, 0);
      const CommandResult result = train(run, ranks,
                                         {dtype, "train.train_iters=3", "checkpoint.save_interval=2",
                                          "optimizer.lr=3e38", "optimizer.weight_decay=1e3"});
      EXPECT_EQ(result.code, 81) << result.output;
      EXPECT_NE(result.output.find("step 3, /"), std::string::npos) << result.output;
      EXPECT_EQ(checkpoint::iterations_in(run), std::vector<std::int64_t>{2});
    }
  }
}

// As long as later steps may be better an update can be skipped; the last one has none after it.
TEST(not_finite, a_last_step_that_is_no_number_ends_the_run_and_is_not_saved) {
  const TemporaryFolder folder;
  for (const int ranks : {1, 2}) {
    const std::string run = folder / std::to_string(ranks);
    const CommandResult result = train(run, ranks,
                                       {"optimizer.lr=1e30", "train.skipped_updates_allowed=5",
                                        "train.train_iters=3", "checkpoint.save_interval=2"});
    EXPECT_EQ(result.code, 81) << result.output;
    EXPECT_NE(result.output.find("step 3, loss: not finite for any sample of the last step"),
              std::string::npos)
        << result.output;
    EXPECT_EQ(checkpoint::iterations_in(run), std::vector<std::int64_t>{2});
  }
}

/// A data set of which one source's clips are no numbers, and the words that train on it.
class BadClip : public ::testing::Test {
 protected:
  void SetUp() override {
    SmallDataset make{1, 10, 4, 16};
    const ShardPlan plan = small_plan(make, 0);
    for (const SourceFile& source : plan.sources) {
      if (split_of(source.name, make.split) == Split::train) make.broken_source = source.name;
    }
    ASSERT_FALSE(make.broken_source.empty());
    write_small_dataset(folder_ / "data", make);
  }

  [[nodiscard]] CommandResult train_on_it(const std::string& run, int ranks) const {
    std::vector<std::string> words =
        small_training(run, {"dataset.path=" + (folder_ / "data"), "dataset.packing_buffer_size=null",
                             "train.global_batch_size=4", "train.micro_batch_size=1",
                             "train.skipped_updates_allowed=20", "train.eval_iters=0"});
    words.erase(words.begin() + 1);  // --mock
    return run_command(on_ranks(ranks, words));
  }

  TemporaryFolder folder_;
};

// Only the steps that meet the bad clip are skipped, on all ranks the same ones, and they leave no trace in
// the weights.
TEST_F(BadClip, costs_the_steps_that_meet_it) {
  std::vector<Json> lines[2];
  for (const int ranks : {1, 2}) {
    const std::string run = folder_ / std::to_string(ranks);
    const CommandResult result = train_on_it(run, ranks);
    ASSERT_EQ(result.code, 0) << result.output;
    lines[ranks - 1] = metrics_of(run);
    const std::vector<float> weights = weights_of(run, 20);
    EXPECT_TRUE(std::all_of(weights.begin(), weights.end(), [](float w) { return std::isfinite(w); }));
  }
  ASSERT_EQ(lines[0].size(), 20U);
  ASSERT_EQ(lines[1].size(), 20U);
  std::int64_t skipped = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    const Json& loss = lines[0][i].at("loss");
    if (loss.is_null()) ++skipped;
    EXPECT_EQ(lines[0][i].at("skipped").as_integer(), skipped);
    EXPECT_EQ(lines[1][i].at("skipped").as_integer(), skipped);
    if (!loss.is_null()) {
      EXPECT_NEAR(lines[1][i].at("loss").as_number(), loss.as_number(), 2e-6 * loss.as_number());
    }
  }
  EXPECT_GT(skipped, 0);
  EXPECT_LT(skipped, 20);
  const Json state = Json::parse_file(folder_ / "1/" + checkpoint::iteration_name(20) + "/state.json");
  EXPECT_EQ(state.at("run").at("updates").as_integer(), 20 - skipped);
  EXPECT_EQ(state.at("run").at("skipped").as_integer(), skipped);
}

}  // namespace
}  // namespace wan::test
