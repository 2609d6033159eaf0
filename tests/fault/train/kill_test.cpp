#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/text.hpp"
#include "support/run_command.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

struct Killed {
  int ranks;
  const char* storage;
};
constexpr Killed killed[] = {{1, "fp32"}, {1, "bf16"}, {2, "fp32"}, {2, "bf16"}};
constexpr int enough = 25;  ///< of each: fifty with either storage

/// Whether a save was under way: its folder is left under a name that is no checkpoint's.
bool left_a_save(const std::string& run) {
  std::error_code no_folder_yet;
  for (const auto& entry : std::filesystem::directory_iterator(run, no_folder_yet)) {
    if (entry.path().filename().string().find(".tmp.") != std::string::npos) return true;
  }
  return false;
}

class train_kill : public ::testing::TestWithParam<Killed> {
 protected:
  /// A save is under way nearly all the time (one every 5 steps of some milliseconds, each taking a tenth of
  /// a second), so kills fall into every part of it.
  [[nodiscard]] static std::vector<std::string> words(const std::string& run) {
    return on_ranks(
        GetParam().ranks,
        small_training(run, {std::string("model.params_dtype=") + GetParam().storage, "train.train_iters=300",
                             "checkpoint.save_interval=5", "checkpoint.most_recent_k=3"}));
  }
};

TEST_P(train_kill, loses_nothing) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_command(words(folder / "whole"), 300).code, 0);

  std::mt19937 random(7);
  std::uniform_real_distribution<double> life_s(0.05, 1.6);
  int kills = 0;
  int during_a_save = 0;
  for (int round = 0; kills < enough; ++round) {
    const std::string run = folder / cat("killed", round);
    for (bool ended = false; !ended;) {
      Child job(words(run), folder / "out.txt");
      const int code = job.wait(kills < enough ? life_s(random) : 300);
      if (code == -1) {
        job.kill_all();
        ++kills;
        during_a_save += left_a_save(run) ? 1 : 0;
      } else {
        ASSERT_EQ(code, 0) << "after " << kills << " kills";
        ended = true;
      }
    }
    EXPECT_TRUE(same_checkpoint(folder / "whole", run, 300)) << "after " << kills << " kills";
    EXPECT_EQ(metrics_of(run).size(), 300U);
  }
  EXPECT_GE(during_a_save, enough / 5) << "the kills did not hit saves";
}

INSTANTIATE_TEST_SUITE_P(ranks_and_storage, train_kill, ::testing::ValuesIn(killed),
                         [](const auto& one) { return cat("np", one.param.ranks, "_", one.param.storage); });

}  // namespace
}  // namespace wan::test
