#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "base/file.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"
#include "support/run_command.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

// What a user can see of a step: its dump, its slow reference, its speed.
namespace wan::test {
namespace {

namespace fs = std::filesystem;

/// A run of three steps, so that the head's weights are no longer zero, that others go on from.
class train_inspect : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(train("start", 1, {"train.train_iters=3"}).code, 0); }

  [[nodiscard]] CommandResult train(const std::string& run, int ranks,
                                    const std::vector<std::string>& more) const {
    return run_command(on_ranks(ranks, small_training(folder_ / run, more)), 300);
  }
  /// The fourth step, dumped, in a run of its own.
  void dump_step(const std::string& name, int ranks, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"train.train_iters=4", "checkpoint.load=" + (folder_ / "start"), "--dump",
                             folder_ / ("dump-" + name)});
    const CommandResult result = train(name, ranks, more);
    ASSERT_EQ(result.code, 0) << result.output;
  }
  [[nodiscard]] CommandResult differences(const std::string& a, const std::string& b,
                                          const std::string& tolerance) const {
    return run_command(
        {WAN_DIFF_DUMPS, folder_ / ("dump-" + a), folder_ / ("dump-" + b), "--tolerance", tolerance});
  }

  TemporaryFolder folder_;
};

/// The squares of a dumped array's elements: an .npy file whose header, of version 1.0, tells its own length.
double sum_of_squares(const std::string& path) {
  const std::string bytes = read_file(path);
  const std::size_t header = 10 + static_cast<std::size_t>(static_cast<unsigned char>(bytes[8])) +
                             256 * static_cast<std::size_t>(static_cast<unsigned char>(bytes[9]));
  std::vector<float> values((bytes.size() - header) / sizeof(float));
  bytes.copy(reinterpret_cast<char*>(values.data()), bytes.size() - header, header);
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  return sum;
}

TEST_F(train_inspect, a_dump_is_the_same_on_any_number_of_ranks) {
  // Micro batches of two packs out of eight: four on one rank, two each on two, one each on four.
  dump_step("one", 1);
  for (const int ranks : {2, 4}) {
    const std::string name = cat("ranks", ranks);
    dump_step(name, ranks);
    // Sums of gradients in another order; activations are equal to the bit.
    const CommandResult same = differences(name, "one", "2e-6");
    EXPECT_EQ(same.code, 0) << same.output;
  }
  dump_step("seed", 2, {"rng.seed=5"});
  EXPECT_EQ(differences("seed", "one", "1e-3").code, 1);
}

TEST_F(train_inspect, a_dump_holds_every_parameters_gradient_before_clipping) {
  dump_step("clipped", 2, {"optimizer.clip_grad=1e-3"});
  const checkpoint::Checkpoint saved = checkpoint::open_iteration(
      Communicator(), folder_ / "clipped/" + checkpoint::iteration_name(4), checkpoint::Wanted());
  std::set<std::string> expected;
  for (const checkpoint::StoredTensor& tensor : saved.manifest().tensors) {
    const std::string weights = "/transformer/";
    if (tensor.path.rfind(weights, 0) == 0) expected.insert(tensor.path.substr(weights.size()) + ".grad");
  }
  const std::string dumped = folder_ / "dump-clipped/parameters";
  std::set<std::string> found;
  double squares = 0;
  for (const std::string& name : split(read_file(dumped + "/order.txt"), '\n')) {
    if (name.empty()) continue;
    found.insert(name);
    squares += sum_of_squares(dumped + "/" + name + ".npy");
  }
  EXPECT_EQ(found, expected);
  const double norm = metrics_of(folder_ / "clipped").back().at("grad_norm").as_number();
  EXPECT_NEAR(std::sqrt(squares), norm, 1e-5 * norm);
  EXPECT_GT(norm, 1e-3);
}

TEST_F(train_inspect, the_reference_ops_take_the_same_step) {
  dump_step("fast", 1);
  dump_step("slow", 1, {"--reference"});
  // Some gradients are differences of nearly equal numbers while the model is young: the whole one's norm
  // counts.
  const Json fast = metrics_of(folder_ / "fast").back();
  const Json slow = metrics_of(folder_ / "slow").back();
  for (const char* key : {"loss", "grad_norm"}) {
    const double expected = slow.at(key).as_number();
    EXPECT_NEAR(fast.at(key).as_number(), expected, 2e-6 * expected) << key;
  }
  EXPECT_EQ(differences("fast", "slow", "0").code, 1) << "the reference was not used";
}

TEST_F(train_inspect, every_line_tells_tokens_flops_and_their_share_of_the_peak) {
  const CommandResult result = train("told", 2, {"runtime.peak_tflops=0.5", "logger.log_interval=1"});
  ASSERT_EQ(result.code, 0) << result.output;
  for (const Json& line : metrics_of(folder_ / "told")) {
    const double tflops = line.at("tflops_per_rank").as_number();
    EXPECT_GT(tflops, 0);
    EXPECT_NEAR(line.at("mfu").as_number(), tflops / 0.5, 1e-9);
    EXPECT_GT(line.at("tokens_per_s").as_number(), 0);
  }
  for (const char* key : {" tokens_per_s=", " tflops_per_rank=", " mfu="}) {
    EXPECT_NE(result.output.find(key), std::string::npos) << result.output;
  }
  // Measured where it is not given, and said.
  const CommandResult measured = train("measured", 2, {});
  ASSERT_EQ(measured.code, 0) << measured.output;
  const std::string said = "mfu is against ";
  const std::size_t at = measured.output.find(said);
  ASSERT_NE(at, std::string::npos) << measured.output;
  const double peak = std::stod(measured.output.substr(at + said.size()));
  EXPECT_GT(peak, 0);
  for (const Json& line : metrics_of(folder_ / "measured")) {
    const double mfu = line.at("tflops_per_rank").as_number() / peak;
    EXPECT_NEAR(line.at("mfu").as_number(), mfu, 1e-5 * mfu);
  }
}

}  // namespace
}  // namespace wan::test
