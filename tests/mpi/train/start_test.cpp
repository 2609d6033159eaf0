#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.hpp"
#include "base/text.hpp"
#include "data/dataset_info.hpp"
#include "model/dit/config.hpp"
#include "support/model_folder.hpp"
#include "support/run_command.hpp"
#include "support/small_dataset.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

// What wan-train refuses before its first step: ranks, data, checkpoints and models that do not fit together.
namespace wan::test {
namespace {

constexpr SmallDataset data_shape = {1, 10, 4, 16};

/// Runs on one rank, on the data set if one is given, else on mock data.
CommandResult train(const std::string& run, const std::vector<std::string>& more,
                    const std::string& dataset = "") {
  std::vector<std::string> words = small_training(run, {"train.train_iters=2", "train.eval_iters=0"});
  if (!dataset.empty()) {
    words.erase(words.begin() + 1);  // --mock
    words.push_back("dataset.path=" + dataset);
  }
  words.insert(words.end(), more.begin(), more.end());
  return run_command(words);
}

void expect_end(const CommandResult& result, int code, const std::vector<std::string>& texts) {
  EXPECT_EQ(result.code, code) << result.output;
  for (const std::string& text : texts) {
    EXPECT_NE(result.output.find(text), std::string::npos) << text << "\n" << result.output;
  }
}

/// The data set's settings with other hashes, written over its dataset.yaml.
void claim(const std::string& dataset, const std::string& model, const Hash128& vae,
           const Hash128& text_encoder) {
  DatasetInfo info = read_dataset_info(dataset);
  info.settings.model = model;
  info.settings.vae_hash = vae;
  info.settings.text_encoder_hash = text_encoder;
  write_dataset_info(dataset, info);
}

TEST(train_start, ranks_that_were_told_different_things_are_refused) {
  const TemporaryFolder folder;
  std::vector<std::string> words = on_ranks(2, small_training(folder / "run"));
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "-n") words[i + 1] = "1";
  }
  std::vector<std::string> other = small_training(folder / "run", {"optimizer.lr=2e-2"});
  words.insert(words.end(), {":", "-n", "1"});
  words.insert(words.end(), other.begin(), other.end());
  expect_end(run_command(words), 78,
             {"optimizer.lr: ranks disagree; rank 0 has \"0.01\", rank 1 on ", "has \"0.02\""});
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST(train_start, data_of_another_vae_or_text_encoder_than_the_checkpoints_are_refused) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  write_small_dataset(data, data_shape);
  const DatasetSettings made = small_settings(data_shape);
  ASSERT_EQ(train(folder / "run", {}, data).code, 0);

  claim(data, made.model, {9, 9}, made.text_encoder_hash);
  const std::vector<std::string> vae = {data, "latents", to_hex({9, 9}), to_hex(made.vae_hash),
                                        "iter_0000002"};
  expect_end(train(folder / "run", {"train.train_iters=4"}, data), 65, vae);
  expect_end(train(folder / "fresh", {"checkpoint.pretrained_checkpoint=" + (folder / "run")}, data), 65,
             vae);
  claim(data, made.model, made.vae_hash, {8, 8});
  expect_end(train(folder / "run", {"train.train_iters=4"}, data), 65,
             {data, "text embeddings", to_hex({8, 8}), to_hex(made.text_encoder_hash)});

  claim(data, made.model, made.vae_hash, made.text_encoder_hash);
  EXPECT_EQ(train(folder / "run", {"train.train_iters=4"}, data).code, 0);
}

TEST(train_start, data_of_another_vae_or_text_encoder_than_the_model_folders_are_refused) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  write_small_dataset(data, data_shape);
  const DatasetSettings made = small_settings(data_shape);
  const std::string model = folder / "model";
  write_model_folder(model, small_transformer());
  const ModelHashes hashes = hashes_of_model_folder(model);
  const std::string pretrained = "checkpoint.pretrained_checkpoint=" + model;

  expect_end(train(folder / "run", {pretrained}, data), 65,
             {data, "latents", model, to_hex(made.vae_hash), to_hex(hashes.vae)});
  claim(data, "elsewhere", hashes.vae, {8, 8});
  expect_end(train(folder / "run", {pretrained}, data), 65,
             {data, "text embeddings", to_hex({8, 8}), to_hex(hashes.text_encoder)});
  // The folder that the data set names was given another VAE since.
  claim(data, model, {9, 9}, hashes.text_encoder);
  expect_end(train(folder / "run", {}, data), 65, {data, "latents", to_hex(hashes.vae)});

  claim(data, model, hashes.vae, hashes.text_encoder);
  EXPECT_EQ(train(folder / "run", {pretrained}, data).code, 0);
}

// A flag forgotten when a run is taken up again changes what is learned.
TEST(train_start, going_on_with_other_settings_is_said) {
  const TemporaryFolder folder;
  ASSERT_EQ(train(folder / "run", {"checkpoint.save_interval=2", "train.train_iters=2"}).code, 0);
  const CommandResult other = train(folder / "run", {"--training-mode", "finetune", "train.train_iters=4"});
  expect_end(other, 0,
             {"warning: training goes on otherwise than", "flow_matching.flow_shift 2.5 -> 3",
              "flow_matching.timestep_sampling logit_normal -> uniform"});
  const CommandResult same = train(folder / "run", {"--training-mode", "finetune", "train.train_iters=6"});
  EXPECT_EQ(same.output.find("goes on otherwise"), std::string::npos) << same.output;
  const CommandResult done = train(folder / "run", {"--training-mode", "finetune", "train.train_iters=6"});
  expect_end(done, 0, {"all of train.train_iters = 6 steps are done already"});
}

TEST(train_start, a_dry_run_tells_what_a_run_takes_and_makes_nothing) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  write_small_dataset(data, data_shape);
  for (const int ranks : {1, 2}) {
    const CommandResult result = run_command(
        on_ranks(ranks, small_training(folder / "run", {"--dry-run", "model.params_dtype=bf16"})));
    // Two micro batches of two packs a rank at most; eight samples of 2 x 4 x 4 tokens.
    expect_end(result, 0,
               {"1024 clips to train on, 0 to validate", "154320 parameters stored in bf16",
                "8 packs, 8 clips, 256 tokens", "checkpoint: "});
  }
  expect_end(train(folder / "run", {"--dry-run"}, data), 0, {"clips to train on", " to validate with"});
  expect_end(train(folder / "run", {"--dry-run"}, folder / "nowhere"), 66, {"nowhere"});
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

/// The number after "activations " and its unit.
std::string activations_of(const CommandResult& result) {
  const std::string said = ", activations ";
  const std::size_t at = result.output.find(said) + said.size();
  return result.output.substr(at, result.output.find(" for up to", at) - at);
}

TEST(train_start, recomputing_blocks_takes_less_memory_and_changes_no_bit) {
  const TemporaryFolder folder;
  const std::string deep = "model.num_layers=6";
  const std::string full = "model.recompute_granularity=full";
  const std::string kept = activations_of(train(folder / "none", {deep, "--dry-run"}));
  const std::string recomputed = activations_of(train(folder / "none", {deep, full, "--dry-run"}));
  const std::string few =
      activations_of(train(folder / "none", {deep, full, "model.recompute_method=block",
                                             "model.recompute_num_layers=0", "--dry-run"}));
  EXPECT_EQ(few, kept);
  EXPECT_NE(kept.find(" MiB"), std::string::npos) << kept;
  EXPECT_NE(recomputed.find(" KiB"), std::string::npos) << recomputed;

  ASSERT_EQ(train(folder / "kept", {deep, "train.train_iters=5"}).code, 0);
  ASSERT_EQ(train(folder / "recomputed", {deep, full, "train.train_iters=5"}).code, 0);
  EXPECT_TRUE(same_checkpoint(folder / "kept", folder / "recomputed", 5));
  expect_end(train(folder / "none", {"model.recompute_granularity=selective"}), 78,
             {"model.recompute_granularity: found selective, allowed: one of: auto, none, norms"});
}

TEST(train_start, a_folder_of_one_iteration_can_be_named) {
  const TemporaryFolder folder;
  ASSERT_EQ(train(folder / "run", {"checkpoint.save_interval=2", "train.train_iters=4"}).code, 0);
  const std::string second = folder / "run/iter_0000002";
  expect_end(train(folder / "next", {"train.train_iters=4", "checkpoint.load=" + second}), 0,
             {"going on from " + second});
  EXPECT_TRUE(same_checkpoint(folder / "run", folder / "next", 4));
  expect_end(train(folder / "new", {"checkpoint.load=" + (folder / "run/iter_0000003")}), 66,
             {"run: holds no iteration 3; there are: 4 2"});
}

TEST(train_start, a_refused_start_leaves_the_runs_configuration) {
  const TemporaryFolder folder;
  ASSERT_EQ(train(folder / "run", {}).code, 0);
  const std::string before = read_file(folder / "run/config.yaml");
  EXPECT_EQ(train(folder / "run", {"model.num_layers=3"}).code, 78);
  EXPECT_EQ(read_file(folder / "run/config.yaml"), before);
}

TEST(train_start, a_model_of_other_sizes_is_a_wrong_key) {
  const TemporaryFolder folder;
  ASSERT_EQ(train(folder / "run", {}).code, 0);
  // Shapes do not tell the number of heads.
  expect_end(train(folder / "run", {"model.num_attention_heads=4"}), 78,
             {"model.num_attention_heads: found 4, ", "iter_0000002", " has 2"});
  expect_end(train(folder / "run", {"model.num_layers=3"}), 78,
             {"model.num_layers: found 3, ", "iter_0000002", " has 2"});
  expect_end(train(folder / "fresh",
                   {"model.layernorm_epsilon=1e-5", "checkpoint.pretrained_checkpoint=" + (folder / "run")}),
             78, {"model.layernorm_epsilon: found 1e-05, ", "iter_0000002", " has 1e-06"});

  const std::string model = folder / "model";
  DitConfig config = small_transformer();
  config.num_attention_heads = 4;
  config.attention_head_dim = 16;
  write_model_folder(model, config);
  expect_end(train(folder / "other", {"checkpoint.pretrained_checkpoint=" + model}), 78,
             {"model.num_attention_heads: found 2, ", model, " has 4"});
}

}  // namespace
}  // namespace wan::test
