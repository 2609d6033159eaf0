#include <gtest/gtest.h>

#include <cmath>

#include "support/run_command.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

// What changes from step to step by a rule: the learning rate, and the weight of the past in the average.
namespace wan::test {
namespace {

int train(const std::string& run, const std::vector<std::string>& more) {
  const CommandResult result = run_command(small_training(run, more));
  EXPECT_NE(result.code, -1) << result.output;
  return result.code;
}

/// Linear from 0 to the highest over four steps, then half a cosine to the lowest at step 12.
double expected_rate(std::int64_t step) {
  const auto done = static_cast<double>(step - 1);
  if (done < 4) return 2e-3 * done / 4;
  if (done >= 12) return 5e-4;
  return 5e-4 + (2e-3 - 5e-4) * 0.5 * (1 + std::cos(M_PI * (done - 4) / 8));
}

TEST(train_schedule, rates_follow_warm_up_and_decay_across_a_restart) {
  const TemporaryFolder folder;
  const std::vector<std::string> rule = {
      "optimizer.lr=2e-3",           "optimizer.min_lr=5e-4",           "scheduler.lr_warmup_iters=4",
      "scheduler.lr_decay_iters=12", "scheduler.lr_decay_style=cosine", "train.train_iters=15"};
  std::vector<std::string> first = rule;
  first.emplace_back("train.exit_interval=6");
  EXPECT_EQ(train(folder / "run", first), 75);
  EXPECT_EQ(train(folder / "run", rule), 0);
  const std::vector<Json> lines = metrics_of(folder / "run");
  ASSERT_EQ(lines.size(), 15U);
  for (std::int64_t step = 1; step <= 15; ++step) {
    const double rate = lines[static_cast<std::size_t>(step - 1)].at("lr").as_number();
    EXPECT_NEAR(rate, expected_rate(step), 1e-12) << "step " << step;
  }
}

/// The average after `step`, expected from the one before and the weights of the step.
void expect_average(const std::string& run, std::int64_t step, double kept) {
  const std::vector<float> weights = weights_of(run, step);
  std::vector<float> expected = weights_of(run, step - 1, "/ema/transformer/");
  ASSERT_EQ(expected.size(), weights.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = static_cast<float>(kept * expected[i] + (1 - kept) * weights[i]);
  }
  // Rounded to fp32 once or twice, here and there.
  EXPECT_LE(relative_distance(weights_of(run, step, "/ema/transformer/"), expected), 2e-7) << "step " << step;
}

TEST(train_schedule, the_average_keeps_less_of_the_past_at_first) {
  const TemporaryFolder folder;
  const std::vector<std::string> often = {"train.train_iters=4", "checkpoint.save_interval=1"};
  std::vector<std::string> warm = often;
  warm.insert(warm.end(), {"ema.decay=0.3", "ema.warmup=true"});
  ASSERT_EQ(train(folder / "warm", warm), 0);
  expect_average(folder / "warm", 2, 3.0 / 12);
  expect_average(folder / "warm", 3, 0.3);  // less than 4 / 13
  expect_average(folder / "warm", 4, 0.3);
  std::vector<std::string> cold = often;
  cold.insert(cold.end(), {"ema.decay=0.9", "ema.warmup=false"});
  ASSERT_EQ(train(folder / "cold", cold), 0);
  expect_average(folder / "cold", 2, 0.9);
}

}  // namespace
}  // namespace wan::test
