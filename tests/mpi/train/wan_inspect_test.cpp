#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file.hpp"
#include "support/run_command.hpp"
#include "support/small_dataset.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

// wan-inspect as users start it: it says what is there, and what does not hold.
namespace wan::test {
namespace {

CommandResult inspect(std::vector<std::string> words) {
  words.insert(words.begin(), WAN_INSPECT);
  return run_command(words);
}

void expect_end(const CommandResult& result, int code, const std::vector<std::string>& texts) {
  EXPECT_EQ(result.code, code) << result.output;
  for (const std::string& text : texts) {
    EXPECT_NE(result.output.find(text), std::string::npos) << text << "\n" << result.output;
  }
}

/// Changes one byte in the middle of a file.
void damage(const std::string& path) {
  std::string bytes = read_file(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  std::ofstream(path, std::ios::binary) << bytes;
}

const std::vector<std::string>& clip_on_1_3b() {
  static const std::vector<std::string> words = {"plan",
                                                 "--mock",
                                                 WAN_SOURCE_DIR "/inputs/wan_1_3B.yaml",
                                                 "model.context_parallel_size=1",
                                                 "model.params_dtype=bf16",
                                                 "dataset.F_latents=21",
                                                 "dataset.H_latents=60",
                                                 "dataset.W_latents=104",
                                                 "dataset.context_seq_len=512",
                                                 "dataset.number_packed_samples=1"};
  return words;
}

std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(wan_inspect, a_plan_names_memory_by_kind_and_what_fits) {
  expect_end(inspect(clip_on_1_3b()), 0,
             {"1418996800 parameters stored in bf16", "up to 32760 tokens, 512 text rows, 1 clips", "norms ",
              "keep_attention ", "the run file's policy: none", "activations "});
  const CommandResult planned = inspect(with(clip_on_1_3b(), {"--gpu", "h100"}));
  expect_end(planned, 0, {"fastest that fits 74.5 GiB: ", "ms a step"});
  expect_end(inspect(with(clip_on_1_3b(), {"--gpu-memory", "80"})), 0,
             {"fastest that fits 80.0 GiB: norms\n"});
  expect_end(inspect(with(clip_on_1_3b(), {"--gpu-memory", "4"})), 0, {"nothing fits 4.0 GiB"});
  expect_end(inspect(with(clip_on_1_3b(), {"model.recompute_granularity=full"})), 0,
             {"the run file's policy: full"});
}

TEST(wan_inspect, a_plan_refuses_what_it_cannot_plan) {
  expect_end(inspect({}), 0, {"usage: wan-inspect"});
  expect_end(inspect({"everything"}), 64, {"found everything, allowed: plan, checkpoint, dataset"});
  expect_end(inspect(with(clip_on_1_3b(), {"--gpu", "abacus"})), 64, {"found abacus, allowed: h100, h200"});
  expect_end(inspect(with(clip_on_1_3b(), {"--gpu-memory", "0"})), 64, {"gpu-memory"});
  expect_end(inspect({"plan", "a.yaml", "b.yaml"}), 64, {"a.yaml and b.yaml"});
  expect_end(inspect({"plan", "nowhere.yaml"}), 66, {"nowhere.yaml"});
  expect_end(inspect(with(clip_on_1_3b(), {"model.num_layers=0"})), 78, {"model.num_layers"});
}

TEST(wan_inspect, a_runs_iterations_are_listed_and_a_changed_byte_is_found) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(run_command(small_training(run, {"train.train_iters=4", "checkpoint.save_interval=2"})).code, 0);
  expect_end(inspect({"checkpoint", run}), 0, {"iter_0000004  step 4: ", "iter_0000002  step 2: "});
  expect_end(inspect({"checkpoint", run, "--verify"}), 0, {"all hashes agree"});
  damage(run + "/iter_0000002/model.h5");
  expect_end(inspect({"checkpoint", run, "--verify"}), 65,
             {"iter_0000002  not good: ", "iter_0000004  step 4: "});
  expect_end(inspect({"checkpoint", folder / "elsewhere"}), 66, {"holds no iteration"});
  expect_end(inspect({"checkpoint"}), 64, {"found 0 paths, allowed: one"});
}

TEST(wan_inspect, a_data_set_is_summed_up_and_a_changed_byte_is_found) {
  const TemporaryFolder folder;
  const std::string data = folder / "data";
  write_small_dataset(data, SmallDataset());
  expect_end(inspect({"dataset", data}), 0, {"rows: train ", "files: 2 shards and an index", "latents: "});
  expect_end(inspect({"dataset", data, "--verify"}), 0, {"all 2 shards have their hashes"});
  for (const auto& entry : std::filesystem::directory_iterator(data + "/shards")) damage(entry.path());
  expect_end(inspect({"dataset", data, "--verify"}), 65, {"shards/"});
  expect_end(inspect({"dataset", folder / "nowhere"}), 66, {"nowhere"});
}

}  // namespace
}  // namespace wan::test
