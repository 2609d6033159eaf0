#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "config/train_config_io.hpp"
#include "unit/config/failure_of.hpp"

namespace wan {
namespace {

std::string input(const std::string& name) {
  return std::string(WAN_SOURCE_DIR) + "/inputs/" + name;
}

std::string complaint(const std::string& name, const std::vector<std::string>& overrides) {
  return failure_of<ConfigError>([&] {
    (void)load_train_config({TrainingMode::pretrain, input(name), overrides, true}, 1);
  });
}

TEST(RunFiles, EachLoadsOnOneRankOnceParallelismIsOne) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(input(""))) {
    if (entry.path().extension() != ".yaml") continue;
    ++found;
    EXPECT_EQ(complaint(entry.path().filename(),
                        {"model.tensor_model_parallel_size=1", "model.context_parallel_size=1"}),
              "")
        << entry.path();
  }
  EXPECT_GE(found, 3);
}

TEST(RunFiles, TheCopied13BFileHasOneComplaint) {
  EXPECT_EQ(complaint("wan_1_3B.yaml", {}),
            "model.context_parallel_size: found 8, allowed: 1 (" + input("wan_1_3B.yaml") + ":6)");
  EXPECT_TRUE(contains(complaint("wan_14B.yaml", {}), "2 complaints"));
}

// The tutorial's command line with the sizes of a small model and no parallelism appended.
TEST(RunFiles, TheTutorialsOverridesLoad) {
  const std::vector<std::string> tutorial = {
      "dataset.path=/opt/wan_dataset",      "train.global_batch_size=8",     "train.micro_batch_size=1",
      "model.tensor_model_parallel_size=2", "model.context_parallel_size=4", "checkpoint.save=/opt/ckpt",
      "checkpoint.load=/opt/ckpt",          "model.qkv_format=thd",          "logger.wandb_project=wan"};
  EXPECT_TRUE(contains(complaint("wan_1_3B.yaml", tutorial), "2 complaints"));
  std::vector<std::string> small = tutorial;
  for (const char* appended :
       {"model.num_layers=2", "model.hidden_size=64", "model.crossattn_emb_size=64",
        "model.num_attention_heads=2", "model.ffn_hidden_size=128", "model.text_dim=64",
        "train.train_iters=4", "model.tensor_model_parallel_size=1", "model.context_parallel_size=1"}) {
    small.emplace_back(appended);
  }
  EXPECT_EQ(complaint("wan_1_3B.yaml", small), "");
}

TEST(RunFiles, EveryLineIsCommented) {
  for (const char* name : {"wan_1_3B.yaml", "wan_14B.yaml", "demo.yaml"}) {
    std::ifstream file(input(name));
    for (std::string line; std::getline(file, line);) {
      const bool group = !line.empty() && line.back() == ':';
      EXPECT_TRUE(group || contains(line, "#")) << name << ": " << line;
    }
  }
}

TEST(RunFiles, TheDemoIsTheModelItSays) {
  const TrainConfig config =
      load_train_config({TrainingMode::pretrain, input("demo.yaml"), {}, true}, 2).config;
  EXPECT_EQ(config.model.head_dim(), 32);
  EXPECT_TRUE(config.ema.enabled);
  EXPECT_EQ(config.flow_matching.timestep_sampling, TimestepSampling::uniform);
  EXPECT_EQ(config.optimizer.final_lr(), 0.0);
}

}  // namespace
}  // namespace wan
