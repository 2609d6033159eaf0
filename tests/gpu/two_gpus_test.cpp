#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <filesystem>

#include "base/file.hpp"
#include "support/run_command.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

namespace fs = std::filesystem;

// Weights are equal to the last bit or one unit of 2^-8 apart, and steps feed on each other: host ranks come
// to 4e-4 and 8e-3 in these hundred steps. A GPU's sums are of another order in every run besides.
constexpr double loss_tolerance = 5e-3;
constexpr double norm_tolerance = 5e-2;

/// wan-train on a model of the demo's widths, in bf16.
std::vector<std::string> training(const std::string& run, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words =
      small_training(run, {"model.params_dtype=bf16", "model.hidden_size=128", "model.num_attention_heads=4",
                           "model.ffn_hidden_size=512", "model.text_dim=64", "model.num_layers=4",
                           "optimizer.lr=1e-3", "optimizer.clip_grad=0.3", "flow_matching.sigma_max=0.1",
                           "flow_matching.use_loss_weighting=false", "train.train_iters=100",
                           "checkpoint.save_interval=100"});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void run(int ranks, const std::vector<std::string>& words) {
  const CommandResult result = run_command(on_ranks(ranks, words), 300);
  ASSERT_EQ(result.code, 0) << result.output;
}

void expect_near(const Json& found, const Json& expected, const char* key, double tolerance) {
  const double number = expected.at(key).as_number();
  EXPECT_NEAR(found.at(key).as_number(), number, tolerance * std::abs(number))
      << key << " of step " << expected.at("step").as_integer();
}

void expect_same_course(const std::vector<Json>& found, const std::vector<Json>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].at("step").as_integer(), expected[i].at("step").as_integer());
    EXPECT_EQ(found[i].at("consumed_samples").as_integer(), expected[i].at("consumed_samples").as_integer());
    expect_near(found[i], expected[i], "loss", loss_tolerance);
    expect_near(found[i], expected[i], "grad_norm", norm_tolerance);
  }
}

TEST(two_gpus, train_as_one_does_for_a_hundred_steps) {
  const TemporaryFolder folder;
  run(1, training(folder / "one"));
  run(2, training(folder / "two"));
  const std::vector<Json> one = metrics_of(folder / "one");
  ASSERT_EQ(one.size(), 100U);
  // A rate that learns: otherwise agreement would show nothing.
  EXPECT_LT(one.back().at("loss").as_number(), 0.75 * one.front().at("loss").as_number());
  expect_same_course(metrics_of(folder / "two"), one);
}

TEST(two_gpus, a_run_stopped_by_a_signal_goes_on_on_one_or_two) {
  const TemporaryFolder folder;
  const std::vector<std::string> endless = {"train.train_iters=1000000", "checkpoint.save_interval=1000000"};
  Child job(on_ranks(2, training(folder / "run", endless)), folder / "out.txt");
  while (!fs::exists(folder / "run/metrics.jsonl") || metrics_of(folder / "run").size() < 5) {
    ASSERT_EQ(job.wait(0.1), -1);
  }
  job.signal_all(SIGUSR1);  // as Slurm does it
  ASSERT_EQ(job.wait(120), 75) << read_file(folder / "out.txt");
  const std::size_t done = metrics_of(folder / "run").size();
  const std::string steps = "train.train_iters=" + std::to_string(done + 5);
  fs::copy(folder / "run", folder / "on_one", fs::copy_options::recursive);
  fs::copy(folder / "run", folder / "on_two", fs::copy_options::recursive);
  run(1, training(folder / "on_one", {steps}));
  run(2, training(folder / "on_two", {steps}));
  const std::vector<Json> on_one = metrics_of(folder / "on_one");
  ASSERT_EQ(on_one.size(), done + 5);
  for (std::size_t i = 0; i < on_one.size(); ++i) {
    EXPECT_EQ(on_one[i].at("step").as_integer(), static_cast<std::int64_t>(i) + 1);
  }
  expect_same_course(metrics_of(folder / "on_two"), on_one);
}

}  // namespace
}  // namespace wan::test
