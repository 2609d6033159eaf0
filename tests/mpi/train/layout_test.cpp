#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "support/run_command.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

struct Storage {
  const char* name;
  double loss;     ///< allowed relative difference of loss and gradient norm, every step
  double weights;  ///< of the whole weight vector after the last step
};

// fp32: what the suite promises; sums over ranks are in fp64, so only the order inside a micro batch differs.
// bf16: weights are equal to the last bit or one unit of 2^-8 apart, and steps feed on each other.
constexpr Storage storages[] = {{"fp32", 2e-6, 5e-6}, {"bf16", 1e-2, 1e-2}};

double relative(double a, double b) {
  return std::abs(a - b) / std::abs(a);
}

struct Result {
  std::vector<Json> steps;
  std::vector<float> weights;
};

Result train(const std::string& run, int ranks, const std::vector<std::string>& more) {
  const CommandResult result = run_command(on_ranks(ranks, small_training(run, more)));
  EXPECT_EQ(result.code, 0) << result.output;
  return {metrics_of(run), weights_of(run, 20)};
}

class train_layout : public ::testing::TestWithParam<Storage> {};

// Clipping, text dropout, averaging and gradient accumulation (4, 2 and 1 micro batches) are active.
TEST_P(train_layout, one_two_and_four_ranks_train_the_same) {
  const TemporaryFolder folder;
  // Low noise levels, where much of the velocity can be told from the input, make a loss that falls fast.
  std::vector<std::string> more = {std::string("model.params_dtype=") + GetParam().name,
                                   "optimizer.clip_grad=0.3",
                                   "flow_matching.sigma_max=0.1",
                                   "flow_matching.use_loss_weighting=false",
                                   "flow_matching.text_dropout=0.3",
                                   "optimizer.lr=1e-2",
                                   "train.global_batch_size=8",
                                   "train.micro_batch_size=2"};
  const Result one = train(folder / "ranks1", 1, more);
  ASSERT_EQ(one.steps.size(), 20U);
  // The rate is one that learns: otherwise agreement would show nothing.
  const double first = one.steps.front().at("loss").as_number();
  EXPECT_LT(one.steps.back().at("loss").as_number(), 0.75 * first);
  bool clipped = false;
  for (const int ranks : {2, 4}) {
    const Result other = train(folder / ("ranks" + std::to_string(ranks)), ranks, more);
    ASSERT_EQ(other.steps.size(), one.steps.size());
    for (std::size_t i = 0; i < one.steps.size(); ++i) {
      const auto number = [&](const Result& of, const char* key) { return of.steps[i].at(key).as_number(); };
      EXPECT_LE(relative(number(one, "loss"), number(other, "loss")), GetParam().loss) << "step " << i + 1;
      EXPECT_LE(relative(number(one, "grad_norm"), number(other, "grad_norm")), GetParam().loss)
          << "step " << i + 1;
      EXPECT_EQ(number(one, "consumed_samples"), number(other, "consumed_samples"));
      clipped = clipped || number(one, "grad_norm") > 0.3;
    }
    EXPECT_LE(relative_distance(other.weights, one.weights), GetParam().weights) << ranks << " ranks";
  }
  EXPECT_TRUE(clipped);
  more.emplace_back("flow_matching.text_dropout=0");
  EXPECT_NE(train(folder / "undropped", 1, more).weights, one.weights) << "no text was dropped";
}

INSTANTIATE_TEST_SUITE_P(storage, train_layout, ::testing::ValuesIn(storages),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace wan::test
