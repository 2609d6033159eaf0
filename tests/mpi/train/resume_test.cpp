#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "support/run_command.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

int train(const std::string& run, int ranks, const std::vector<std::string>& more = {}) {
  const CommandResult result = run_command(on_ranks(ranks, small_training(run, more)));
  EXPECT_NE(result.code, -1) << result.output;
  return result.code;
}

/// Losses of two runs, bit for bit.
void expect_same_losses(const std::string& a, const std::string& b) {
  const std::vector<Json> x = metrics_of(a);
  const std::vector<Json> y = metrics_of(b);
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (const char* key : {"step", "loss", "grad_norm", "lr", "consumed_samples"}) {
      EXPECT_EQ(x[i].at(key).as_number(), y[i].at(key).as_number()) << key << " of line " << i;
    }
  }
}

class train_resume : public ::testing::TestWithParam<const char*> {};

TEST_P(train_resume, stopping_and_going_on_equals_never_stopping) {
  const TemporaryFolder folder;
  const std::string dtype = std::string("model.params_dtype=") + GetParam();
  ASSERT_EQ(train(folder / "whole", 2, {dtype}), 0);
  EXPECT_EQ(train(folder / "parts", 2, {dtype, "train.exit_interval=7"}), 75);
  EXPECT_EQ(train(folder / "parts", 2, {dtype, "train.exit_interval=7"}), 75);
  EXPECT_EQ(train(folder / "parts", 2, {dtype}), 0);
  EXPECT_TRUE(same_checkpoint(folder / "whole", folder / "parts", 20));
  expect_same_losses(folder / "whole", folder / "parts");
}

INSTANTIATE_TEST_SUITE_P(storage, train_resume, ::testing::Values("fp32", "bf16"),
                         [](const auto& one) { return std::string(one.param); });

TEST(train_resume, a_signal_ends_the_step_saves_and_asks_to_be_requeued) {
  const TemporaryFolder folder;
  const std::vector<std::string> endless = {"train.train_iters=100000", "checkpoint.save_interval=100000"};
  Child job(on_ranks(2, small_training(folder / "run", endless)), folder / "out.txt");
  while (!std::filesystem::exists(folder / "run/metrics.jsonl") || metrics_of(folder / "run").size() < 3) {
    ASSERT_EQ(job.wait(0.05), -1);
  }
  // mpirun passes SIGUSR1 on to every rank.
  ASSERT_EQ(::kill(job.pid(), SIGUSR1), 0);
  EXPECT_EQ(job.wait(60), 75);
  const std::size_t done = metrics_of(folder / "run").size();
  ASSERT_TRUE(std::filesystem::exists(folder / "run/latest_checkpointed_iteration.txt"));
  const std::string steps = "train.train_iters=" + std::to_string(done + 2);
  EXPECT_EQ(train(folder / "run", 2, {steps}), 0);
  const std::vector<Json> lines = metrics_of(folder / "run");
  EXPECT_EQ(lines.size(), done + 2);
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(lines[i].at("step").as_integer(), static_cast<std::int64_t>(i) + 1);
}

TEST(train_resume, the_file_stop_ends_a_run) {
  const TemporaryFolder folder;
  const std::vector<std::string> endless = {"train.train_iters=100000", "checkpoint.save_interval=100000"};
  Child job(small_training(folder / "run", endless), folder / "out.txt");
  while (!std::filesystem::exists(folder / "run/metrics.jsonl")) ASSERT_EQ(job.wait(0.05), -1);
  ASSERT_EQ(run_command({"touch", folder / "run/STOP"}).code, 0);
  EXPECT_EQ(job.wait(60), 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "run/latest_checkpointed_iteration.txt"));
}

}  // namespace
}  // namespace wan::test
