#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "base/file.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"
#include "support/run_command.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"
#include "weights/safetensors.hpp"

// Where a run begins: at its own newest good checkpoint, at another run's, at the weights of a run or of a
// model folder, at step 0, or not at all.
namespace wan::test {
namespace {

namespace fs = std::filesystem;

/// Of a run on other numbers of ranks, relative to one on one rank: losses, and the weights after 20 steps.
/// fp32 as design says; in bf16 a difference of one rounding feeds on itself.
struct Storage {
  const char* name;
  double loss;
  double weights;
};
constexpr Storage storages[] = {{"fp32", 2e-6, 5e-6}, {"bf16", 1e-2, 1e-2}};

/// The bytes of every file below a folder.
std::map<std::string, std::string> files_of(const std::string& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) out[entry.path().string()] = read_file(entry.path().string());
  }
  return out;
}

void flip_a_bit(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(fs::file_size(path) / 2);
  file.seekg(middle);
  const int byte = file.get();
  file.seekp(middle);
  file.put(static_cast<char>(byte ^ 1));
}

void cut_in_half(const std::string& path) {
  fs::resize_file(path, fs::file_size(path) / 2);
}

class train_load : public ::testing::TestWithParam<Storage> {
 protected:
  /// 20 steps on one rank with checkpoints after 5, 10, 15 and 20, made once per storage.
  void SetUp() override {
    std::unique_ptr<TemporaryFolder>& made = wholes()[GetParam().name];
    if (made == nullptr) {
      made = std::make_unique<TemporaryFolder>();
      ASSERT_EQ(run_command(words(*made / "run")).code, 0);
    }
    whole_ = *made / "run";
  }
  static void TearDownTestSuite() { wholes().clear(); }

  [[nodiscard]] static std::vector<std::string> words(const std::string& run,
                                                      const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = small_training(
        run, {std::string("model.params_dtype=") + GetParam().name, "checkpoint.save_interval=5"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] static CommandResult train(const std::string& run, const std::vector<std::string>& more = {},
                                           int ranks = 1) {
    return run_command(on_ranks(ranks, words(run, more)));
  }
  /// A copy of the whole run as it was after `step`.
  [[nodiscard]] std::string copy_until(std::int64_t step) const {
    std::string run = folder_ / cat("until", step);
    fs::copy(whole_, run, fs::copy_options::recursive);
    for (const std::int64_t later : checkpoint::iterations_in(run)) {
      if (later > step) fs::remove_all(run + "/" + checkpoint::iteration_name(later));
    }
    return run;
  }
  [[nodiscard]] static std::string file(const std::string& run, std::int64_t step, const char* name) {
    return run + "/" + checkpoint::iteration_name(step) + "/" + name;
  }
  void expect_the_whole_runs_losses(const std::string& run, std::int64_t from) const {
    const std::vector<Json> expected = metrics_of(whole_);
    const std::vector<Json> found = metrics_of(run);
    ASSERT_EQ(static_cast<std::int64_t>(found.size()), 20 - from);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Json& line = expected[i + static_cast<std::size_t>(from)];
      EXPECT_EQ(found[i].at("step").as_integer(), line.at("step").as_integer());
      EXPECT_EQ(found[i].at("loss").as_number(), line.at("loss").as_number()) << "line " << i;
    }
  }

  TemporaryFolder folder_;
  std::string whole_;

 private:
  static std::map<std::string, std::unique_ptr<TemporaryFolder>>& wholes() {
    static std::map<std::string, std::unique_ptr<TemporaryFolder>> made;
    return made;
  }
};

INSTANTIATE_TEST_SUITE_P(storage, train_load, ::testing::ValuesIn(storages),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_P(train_load, the_newest_good_iteration_is_gone_on_from) {
  const std::string run = copy_until(20);
  flip_a_bit(file(run, 20, "model.h5"));
  cut_in_half(file(run, 15, "optim.h5"));
  const CommandResult result = train(run);
  EXPECT_EQ(result.code, 0) << result.output;
  for (const std::string& said :
       {file(run, 20, "model.h5"), file(run, 15, "optim.h5"), "going on from " + run + "/iter_0000010"}) {
    EXPECT_NE(result.output.find(said), std::string::npos) << said << "\n" << result.output;
  }
  EXPECT_TRUE(same_checkpoint(whole_, run, 15));
  EXPECT_TRUE(same_checkpoint(whole_, run, 20));
  expect_the_whole_runs_losses(run, 0);
}

TEST_P(train_load, nothing_is_started_over_iterations_of_which_none_verifies) {
  const std::string run = copy_until(20);
  flip_a_bit(file(run, 20, "optim.h5"));
  cut_in_half(file(run, 15, "model.h5"));
  fs::remove(file(run, 10, "manifest.json"));
  write_file_atomically(file(run, 5, "state.json"), "{}");
  const std::map<std::string, std::string> before = files_of(run);
  const auto expect_refusal = [&](int ranks, const std::vector<std::string>& more) {
    const CommandResult result = train(folder_ / "fresh", more, ranks);
    EXPECT_EQ(result.code, 65) << result.output;
    EXPECT_NE(result.output.find("no checkpoint verifies"), std::string::npos) << result.output;
  };
  expect_refusal(2, {"checkpoint.save=" + run});
  expect_refusal(1, {"checkpoint.save=" + run, "checkpoint.pretrained_checkpoint=" + whole_});
  expect_refusal(1, {"checkpoint.load=" + run});
  const std::map<std::string, std::string> after = files_of(run);
  for (const auto& [path, bytes] : before) {
    // Logs and the like may grow; what was trained and told may not change.
    if (path.find("/iter_") == std::string::npos && path.find("metrics.jsonl") == std::string::npos) continue;
    ASSERT_EQ(after.count(path), 1U) << path;
    EXPECT_TRUE(after.at(path) == bytes) << path;
  }
}

TEST_P(train_load, another_runs_checkpoint_is_gone_on_from_once) {
  const std::string other = copy_until(10);
  const std::string run = folder_ / "run";
  const std::string load = "checkpoint.load=" + other;
  EXPECT_EQ(train(run, {load, "train.exit_interval=15"}).code, 75);
  const CommandResult result = train(run, {load});
  EXPECT_EQ(result.code, 0) << result.output;
  // The second start goes on from its own folder.
  EXPECT_NE(result.output.find("going on from " + run + "/iter_0000015"), std::string::npos) << result.output;
  EXPECT_TRUE(same_checkpoint(whole_, run, 15));
  EXPECT_TRUE(same_checkpoint(whole_, run, 20));
  expect_the_whole_runs_losses(run, 10);
  EXPECT_EQ(checkpoint::iterations_in(other), (std::vector<std::int64_t>{10, 5}));
}

TEST_P(train_load, a_step_can_be_asked_for) {
  const std::string run = folder_ / "run";
  const std::string load = "checkpoint.load=" + whole_;
  // Asked for again when the run is requeued, it is the run's own newest that counts.
  EXPECT_EQ(train(run, {load, "checkpoint.ckpt_step=10", "train.exit_interval=15"}).code, 75);
  const CommandResult again = train(run, {load, "checkpoint.ckpt_step=10"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_NE(again.output.find("going on from " + run + "/iter_0000015"), std::string::npos) << again.output;
  EXPECT_TRUE(same_checkpoint(whole_, run, 20));
  // In its own folder a run goes back, and later steps are made anew.
  const CommandResult back = train(run, {"checkpoint.ckpt_step=15", "checkpoint.load=" + run + "/"});
  EXPECT_EQ(back.code, 0) << back.output;
  EXPECT_NE(back.output.find("/iter_0000015"), std::string::npos) << back.output;
  EXPECT_TRUE(same_checkpoint(whole_, run, 20));
  const CommandResult absent = train(folder_ / "absent", {load, "checkpoint.ckpt_step=7"});
  EXPECT_EQ(absent.code, 66) << absent.output;
  EXPECT_NE(absent.output.find("holds no iteration 7; there are: 20 15 10 5"), std::string::npos)
      << absent.output;
}

// A job that is requeued is the same command again: it must not lose each time what it did since.
TEST_P(train_load, a_run_goes_back_to_a_step_of_its_own_once) {
  const std::string run = copy_until(20);
  const auto expect_start = [&](const CommandResult& result, int code, std::int64_t step) {
    EXPECT_EQ(result.code, code) << result.output;
    const std::string said = "going on from " + run + "/" + checkpoint::iteration_name(step) + "\n";
    EXPECT_NE(result.output.find(said), std::string::npos) << result.output;
  };
  const std::vector<std::string> back = {"checkpoint.ckpt_step=5", "train.exit_interval=4"};
  expect_start(train(run, back), 75, 5);
  // What lay behind is kept, but the run's newest is what it did now.
  EXPECT_EQ(checkpoint::iterations_in(run), (std::vector<std::int64_t>{8, 5}));
  EXPECT_TRUE(fs::exists(run + "/iter_0000020.aside.1/manifest.json"));
  EXPECT_EQ(read_file(run + "/latest_checkpointed_iteration.txt"), "8\n");
  expect_start(train(run, back, 2), 75, 8);
  // Without the wish too.
  expect_start(train(run, {"train.exit_interval=4"}), 75, 12);
  EXPECT_EQ(checkpoint::iterations_in(run), (std::vector<std::int64_t>{16, 15, 12, 10, 8, 5}));
  // Another step is another wish, and so is an iteration that is named as a folder.
  const std::vector<std::string> named = {"checkpoint.load=" + run + "/iter_0000010",
                                          "train.exit_interval=6"};
  expect_start(train(run, named), 75, 10);
  EXPECT_EQ(checkpoint::iterations_in(run), (std::vector<std::int64_t>{12, 10, 8, 5}));
  expect_start(train(run, named), 75, 12);
}

// The first start leaves the moments out; the run's own, made since, stay.
TEST_P(train_load, moments_made_since_a_start_without_them_are_kept) {
  const std::string whole = copy_until(10);
  const std::string parts = folder_ / "parts";
  fs::copy(whole, parts, fs::copy_options::recursive);
  EXPECT_EQ(train(whole, {"checkpoint.load_optim=false", "train.train_iters=15"}).code, 0);
  EXPECT_EQ(
      train(parts, {"checkpoint.load_optim=false", "train.train_iters=15", "train.exit_interval=12"}).code,
      75);
  EXPECT_EQ(train(parts, {"checkpoint.load_optim=false", "train.train_iters=15"}).code, 0);
  EXPECT_TRUE(same_checkpoint(whole, parts, 15));
}

TEST_P(train_load, nothing_to_load_is_a_fresh_start_unless_that_is_forbidden) {
  const std::string load = "checkpoint.load=" + (folder_ / "missing");
  const CommandResult fresh = train(folder_ / "run", {load});
  EXPECT_EQ(fresh.code, 0) << fresh.output;
  EXPECT_NE(fresh.output.find("holds no checkpoint: starting at step 0"), std::string::npos) << fresh.output;
  EXPECT_TRUE(same_checkpoint(whole_, folder_ / "run", 20));
  EXPECT_EQ(train(folder_ / "none", {load, "checkpoint.exit_on_missing_checkpoint=true"}).code, 66);
}

TEST_P(train_load, without_the_optimizer_weights_and_place_are_kept_and_moments_start_anew) {
  const std::string run = folder_ / "run";
  const std::string load = "checkpoint.load=" + copy_until(10);
  EXPECT_EQ(train(run, {load, "checkpoint.load_optim=false", "train.train_iters=11"}).code, 0);
  const std::vector<Json> lines = metrics_of(run);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].at("loss").as_number(), metrics_of(whole_)[10].at("loss").as_number());
  const Json state = Json::parse_file(file(run, 11, "state.json"));
  EXPECT_EQ(state.at("run").at("step").as_integer(), 11);
  EXPECT_EQ(state.at("run").at("updates").as_integer(), 1);
  ASSERT_EQ(train(folder_ / "moments", {load, "train.train_iters=11"}).code, 0);
  EXPECT_NE(weights_of(run, 11), weights_of(folder_ / "moments", 11));
  // Once begun, the run has moments of its own, which a requeue keeps.
  EXPECT_EQ(train(run, {load, "checkpoint.load_optim=false", "train.train_iters=15"}).code, 0);
  EXPECT_EQ(train(folder_ / "at_once", {load, "checkpoint.load_optim=false", "train.train_iters=15"}).code,
            0);
  EXPECT_TRUE(same_checkpoint(folder_ / "at_once", run, 15));
}

TEST_P(train_load, the_weights_of_a_run_begin_another_at_step_0) {
  const std::string from = copy_until(20);
  flip_a_bit(file(from, 20, "model.h5"));
  const std::string run = folder_ / "run";
  const std::vector<std::string> start = {"checkpoint.pretrained_checkpoint=" + from, "optimizer.lr=0",
                                          "optimizer.min_lr=0", "train.train_iters=2",
                                          "train.exit_interval=1"};
  EXPECT_EQ(train(run, start, 2).code, 75);
  EXPECT_EQ(weights_of(run, 1), weights_of(whole_, 15));
  // From now on the run is its own.
  const CommandResult result = train(run, start, 2);
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_NE(result.output.find("going on from " + run + "/iter_0000001"), std::string::npos) << result.output;
  const std::vector<Json> lines = metrics_of(run);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("step").as_integer(), 1);
}

TEST_P(train_load, the_weights_of_a_diffusers_folder_begin_a_run) {
  const std::string model = folder_ / "model";
  make_folders(model + "/transformer");
  write_file_atomically(model + "/transformer/config.json", R"({"_class_name": "WanTransformer3DModel",
    "attention_head_dim": 32, "cross_attn_norm": true, "eps": 1e-06, "ffn_dim": 128, "freq_dim": 256,
    "in_channels": 4, "num_attention_heads": 2, "num_layers": 2, "out_channels": 4, "patch_size": [1, 2, 2],
    "qk_norm": "rms_norm_across_heads", "text_dim": 16})");
  const checkpoint::Checkpoint trained = checkpoint::open_iteration(
      Communicator(), whole_ + "/" + checkpoint::iteration_name(20), checkpoint::Wanted());
  const std::string prefix = "/transformer/";
  const std::string masters = "/master/transformer/";
  std::map<std::string, std::vector<float>> values;
  std::vector<TensorToStore> tensors;
  for (const checkpoint::StoredTensor& tensor : trained.manifest().tensors) {
    if (tensor.path.rfind(prefix, 0) != 0) continue;
    std::vector<float>& all = values[tensor.path];
    all.resize(static_cast<std::size_t>(tensor.elements()));
    // The folder holds fp32, whatever the run stores its weights in.
    const std::string master = masters + tensor.path.substr(prefix.size());
    trained.read(trained.find(master) == nullptr ? tensor.path : master, ShardSpec::whole(tensor.shape),
                 DType::f32, all.data());
    tensors.push_back({tensor.path.substr(prefix.size()), DType::f32, tensor.shape, all.data()});
  }
  write_safetensors(model + "/transformer/diffusion_pytorch_model.safetensors", tensors);

  const std::string run = folder_ / "run";
  const CommandResult result = train(run, {"checkpoint.pretrained_checkpoint=" + model, "optimizer.lr=0",
                                           "optimizer.min_lr=0", "train.train_iters=1"});
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_EQ(weights_of(run, 1), weights_of(whole_, 20));
  EXPECT_EQ(weights_of(run, 1, masters), weights_of(whole_, 20, masters));
  EXPECT_EQ(train(folder_ / "none", {"checkpoint.pretrained_checkpoint=" + (folder_ / "nowhere")}).code, 66);
}

TEST_P(train_load, each_start_may_have_another_number_of_ranks) {
  const std::string run = folder_ / "run";
  for (const int ranks : {1, 2, 4}) EXPECT_EQ(train(run, {"train.exit_interval=5"}, ranks).code, 75);
  EXPECT_EQ(train(run).code, 0);
  const std::vector<Json> expected = metrics_of(whole_);
  const std::vector<Json> found = metrics_of(run);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double loss = expected[i].at("loss").as_number();
    EXPECT_NEAR(found[i].at("loss").as_number(), loss, GetParam().loss * loss) << "line " << i;
  }
  EXPECT_LE(relative_distance(weights_of(run, 20), weights_of(whole_, 20)), GetParam().weights);
}

}  // namespace
}  // namespace wan::test
