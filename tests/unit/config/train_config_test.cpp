#include "config/train_config.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "config/train_config_io.hpp"
#include "unit/config/failure_of.hpp"

namespace wan {
namespace {

LoadedTrainConfig load(const std::vector<std::string>& overrides, std::int64_t ranks = 1,
                       const std::string& file = "") {
  return load_train_config({TrainingMode::pretrain, file, overrides, true}, ranks);
}

std::string complaint(const std::vector<std::string>& overrides, std::int64_t ranks = 1) {
  return failure_of<ConfigError>([&] { (void)load(overrides, ranks); });
}

TEST(TrainConfig, PresetsAreDefaultsThatTheUserMayChange) {
  TrainConfig config = load({}).config;
  EXPECT_EQ(config.flow_matching.timestep_sampling, TimestepSampling::logit_normal);
  EXPECT_EQ(config.flow_matching.logit_std, 1.5);
  EXPECT_EQ(config.flow_matching.flow_shift, 2.5);
  EXPECT_EQ(config.flow_matching.mix_uniform_ratio, 0.2);
  EXPECT_EQ(load({"flow_matching.flow_shift=4"}).config.flow_matching.flow_shift, 4.0);
  EXPECT_EQ(load({"flow_matching.flow_shift=4", "~flow_matching.flow_shift"}).config.flow_matching.flow_shift,
            2.5);
  apply_preset(config, TrainingMode::finetune);
  EXPECT_EQ(config.flow_matching.timestep_sampling, TimestepSampling::uniform);
  EXPECT_EQ(config.flow_matching.flow_shift, 3.0);
}

TEST(TrainConfig, TheScheduleFollowsTheLengthUnlessSet) {
  EXPECT_EQ(load({}).config.lr_warmup_iters(), 2000);
  const TrainConfig brief = load({"train.train_iters=100"}).config;
  EXPECT_EQ(brief.lr_decay_iters(), 100);
  EXPECT_EQ(brief.lr_warmup_iters(), 20);
  const TrainConfig set = load({"scheduler.lr_decay_iters=500", "scheduler.lr_warmup_iters=5"}).config;
  EXPECT_EQ(set.lr_decay_iters(), 500);
  EXPECT_EQ(set.lr_warmup_iters(), 5);
  EXPECT_DOUBLE_EQ(load({"optimizer.lr=1e-3"}).config.optimizer.final_lr(), 1e-4);
}

TEST(TrainConfig, AnEmptyPathIsNoPath) {
  for (const char* key : {"checkpoint.save", "checkpoint.load", "checkpoint.pretrained_checkpoint",
                          "dataset.path", "logger.tensorboard_dir"}) {
    EXPECT_TRUE(contains(complaint({std::string(key) + "=''"}), std::string(key) + ": found ''")) << key;
  }
}

TEST(TrainConfig, DifferencesAreNamedByKey) {
  const TrainConfig a = load({"flow_matching.flow_shift=4"}).config;
  const TrainConfig b = load({"validation.sigma_bins=[0.5]"}).config;
  EXPECT_TRUE(differences(a, a).empty());
  const std::vector<KeyDifference> found = differences(a, b);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].key, "flow_matching.flow_shift");
  EXPECT_EQ(found[0].before, "4");
  EXPECT_EQ(found[0].now, "2.5");
  EXPECT_EQ(found[1].before, "[0.25, 0.5, 0.75]");
  EXPECT_EQ(found[1].now, "[0.5]");
}

TEST(TrainConfig, RulesBetweenKeys) {
  EXPECT_TRUE(contains(complaint({"train.global_batch_size=6"}, 4), "multiples of"));
  EXPECT_TRUE(contains(complaint({"train.train_iters=10", "scheduler.lr_warmup_iters=10"}),
                       "less than the 10 steps"));
  EXPECT_TRUE(contains(complaint({"optimizer.lr=1e-6", "optimizer.min_lr=1e-5"}), "optimizer.min_lr"));
  EXPECT_TRUE(
      contains(complaint({"model.hidden_size=100", "model.crossattn_emb_size=null"}), "model.hidden_size"));
  EXPECT_TRUE(contains(complaint({"model.crossattn_emb_size=64"}), "model.crossattn_emb_size"));
  EXPECT_TRUE(
      contains(complaint({"flow_matching.sigma_min=0.5", "flow_matching.sigma_max=0.5"}), "sigma_min"));
  EXPECT_TRUE(contains(complaint({"validation.sigma_bins=[0.5, 0.5]"}), "validation.sigma_bins"));
  EXPECT_TRUE(contains(complaint({"dataset.H_latents=7"}), "dataset.H_latents"));
  EXPECT_TRUE(contains(complaint({"dataset.F_latents=1025"}), "dataset.F_latents: found 1025"));
  EXPECT_TRUE(contains(complaint({"model.patch_spatial=1"}), "model.patch_spatial: found 1, allowed: 2"));
  EXPECT_TRUE(contains(complaint({"model.in_channels=8"}), "model.out_channels: found 16"));
  EXPECT_TRUE(contains(complaint({"checkpoint.most_recent_k=0"}), "checkpoint.most_recent_k: found 0"));
  EXPECT_TRUE(contains(complaint({"checkpoint.save_interval=10", "checkpoint.keep_every=15"}),
                       "checkpoint.keep_every: found 15, allowed: multiples of"));
  EXPECT_EQ(load({"checkpoint.save_interval=10", "checkpoint.keep_every=20"}).config.checkpoint.keep_every,
            20);
  const auto without_data = [] { (void)load_train_config({TrainingMode::finetune, "", {}, false}, 1); };
  EXPECT_TRUE(contains(failure_of<ConfigError>(without_data), "--mock"));
}

TEST(TrainConfig, OnlyDataParallelismExists) {
  for (const std::string axis : {"tensor_model", "context", "pipeline_model"}) {
    const std::string key = "model." + axis + "_parallel_size";
    EXPECT_EQ(complaint({key + "=8"}, 4), key + ": found 8, allowed: 1 (command line)");
  }
}

TEST(TrainConfig, BatchSizesOfBothGroupsAreOneValue) {
  EXPECT_EQ(load({"dataset.global_batch_size=8"}).config.train.global_batch_size, 8);
  EXPECT_TRUE(
      contains(complaint({"dataset.global_batch_size=8", "train.global_batch_size=4"}), "must agree"));
}

TEST(TrainConfig, KeysOfTheReplacedWorkflowAreAccepted) {
  const LoadedTrainConfig loaded =
      load({"model.qkv_format=thd", "model.apply_rope_fusion=true", "model.bias_activation_fusion=false",
            "tokenizer.vocab_size=32000", "ddp.grad_reduce_in_fp32=true", "comm_overlap=null", "peft=null",
            "profiling.use_nsys_profiler=false", "checkpoint.ckpt_format=torch_dist",
            "mixed_precision=bf16_mixed", "logger.wandb_exp_name=007", "ddp.use_megatron_fsdp=false"});
  EXPECT_EQ(loaded.notices.size(), 8U);
  EXPECT_EQ(loaded.config.model.params_dtype, ModelStorage::bf16);
  EXPECT_EQ(loaded.config.logger.wandb_exp_name, "007");
  EXPECT_TRUE(contains(complaint({"peft.dim=8"}), "low-rank"));
  EXPECT_TRUE(contains(complaint({"ddp.use_megatron_fsdp=true"}), "does not exist here yet"));
}

TEST(TrainConfig, TheFileGivesWayToTheCommandLineAndNamesItsLines) {
  const std::string path = testing::TempDir() + "train_config_test.yaml";
  std::ofstream(path)
      << "train:\n  train_iters: 50\n  global_batch_size: 2\ndataset:\n  global_batch_size: 2\n";
  const TrainConfig config = load({"train.global_batch_size=8"}, 1, path).config;
  EXPECT_EQ(config.train.train_iters, 50);
  EXPECT_EQ(config.train.global_batch_size, 8);
  std::ofstream(path) << "train:\n  train_iters: 50\n  trian_iters: 3\n";
  const std::string message = failure_of<ConfigError>([&] { (void)load({}, 1, path); });
  EXPECT_TRUE(contains(message, path + ":3")) << message;
  EXPECT_TRUE(contains(message, "train.train_iters"));
  std::filesystem::remove(path);
  EXPECT_NE(failure_of<NoInputError>([&] { (void)load({}, 1, path); }), "");
}

}  // namespace
}  // namespace wan
