#include <gtest/gtest.h>

#include <filesystem>

#include "support/run_command.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

// Which numbers a run begins with, and which checkpoints stay.
namespace wan::test {
namespace {

constexpr const char* masters = "/master/transformer/";
const std::vector<std::string> still = {"optimizer.lr=0", "scheduler.lr_warmup_init=0",
                                        "train.train_iters=1"};

int train(const std::string& run, int ranks, std::vector<std::string> settings,
          const std::vector<std::string>& more = {}) {
  settings.insert(settings.end(), more.begin(), more.end());
  const CommandResult result = run_command(on_ranks(ranks, small_training(run, settings)));
  EXPECT_EQ(result.code, 0) << result.output;
  return result.code;
}

/// A bf16 run of ten steps without an average, where masters and stored weights differ.
class train_state : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(train(run_, 2, {"model.params_dtype=bf16", "train.train_iters=10", "ema.enabled=false"}), 0);
    exact_ = weights_of(run_, 10, masters);
    ASSERT_FALSE(exact_.empty());
  }

  TemporaryFolder folder_;
  std::string run_ = folder_ / "bf16";
  std::vector<float> exact_;
};

TEST_F(train_state, an_average_switched_on_later_starts_from_the_masters) {
  const std::vector<std::string> averaging = {"model.params_dtype=bf16", "train.train_iters=11",
                                              "ema.enabled=true", "ema.warmup=false", "ema.decay=1"};
  ASSERT_EQ(train(run_, 1, averaging), 0);
  // Parameters stored in fp32 have no master, so the average holds more tensors.
  std::vector<float> average = weights_of(run_, 11, "/ema/transformer/");
  EXPECT_EQ(weights_of(run_, 10, "/transformer/").size(), average.size());
  const std::string widened = folder_ / "widened";
  ASSERT_EQ(train(widened, 2, still,
                  {"model.params_dtype=fp32", "checkpoint.pretrained_checkpoint=" + run_ + "/iter_0000010"}),
            0);
  EXPECT_EQ(weights_of(widened, 1), average);
}

TEST_F(train_state, a_run_that_another_starts_from_gives_its_masters) {
  const std::vector<std::string> from = {"checkpoint.pretrained_checkpoint=" + run_};
  ASSERT_EQ(train(folder_ / "rounded", 2, still, {"model.params_dtype=bf16", from[0]}), 0);
  EXPECT_EQ(weights_of(folder_ / "rounded", 1, masters), exact_);
  EXPECT_EQ(weights_of(folder_ / "rounded", 1), weights_of(run_, 10));

  ASSERT_EQ(train(folder_ / "widened", 1, still, {"model.params_dtype=fp32", from[0]}), 0);
  const std::vector<float> weights = weights_of(folder_ / "widened", 1);
  EXPECT_NE(weights, weights_of(run_, 10));
  EXPECT_EQ(weights, weights_of(folder_ / "widened", 1, "/ema/transformer/"));
  ASSERT_EQ(train(folder_ / "back", 2, still,
                  {"model.params_dtype=bf16", "checkpoint.pretrained_checkpoint=" + (folder_ / "widened")}),
            0);
  EXPECT_EQ(weights_of(folder_ / "back", 1, masters), exact_);
}

TEST(train_retention, the_last_ones_and_every_nth_stay) {
  const TemporaryFolder folder;
  ASSERT_EQ(train(folder / "run", 1,
                  {"checkpoint.save_interval=2", "checkpoint.most_recent_k=2", "checkpoint.keep_every=6",
                   "train.train_iters=20"}),
            0);
  for (int step = 2; step <= 20; step += 2) {
    const std::string name = std::string(step < 10 ? "iter_000000" : "iter_00000") + std::to_string(step);
    const bool kept = step % 6 == 0 || step > 16;
    EXPECT_EQ(std::filesystem::exists(folder / ("run/" + name)), kept) << name;
  }
}

}  // namespace
}  // namespace wan::test
