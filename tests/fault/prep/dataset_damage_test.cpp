#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/file.hpp"
#include "base/text.hpp"
#include "data/dataset.hpp"
#include "support/run_command.hpp"
#include "support/small_dataset.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"
#include "weights/hdf5/file.hpp"

/// wan-train on a data set that a disk has damaged.
namespace wan::test {
namespace {

class DatasetDamage : public ::testing::Test {
 protected:
  DatasetDamage() {
    SmallDataset make;
    make.channels = 4;
    make.text_width = 16;
    make.split = {1, 0, 0};
    write_small_dataset(data(), make);
  }
  [[nodiscard]] std::string data() const { return scratch_ / "data"; }

  CommandResult train(int ranks, const std::string& verify) {
    std::vector<std::string> words =
        small_training(scratch_ / cat("run-", ++runs_),
                       {"dataset.path=" + data(), "dataset.verify=" + verify, "train.train_iters=3"});
    words.erase(std::find(words.begin(), words.end(), "--mock"));
    return run_command(on_ranks(ranks, words), 60);
  }
  [[nodiscard]] bool has_trained() const {
    return std::filesystem::exists(scratch_ / cat("run-", runs_, "/metrics.jsonl")) &&
           !metrics_of(scratch_ / cat("run-", runs_)).empty();
  }

  TemporaryFolder scratch_;
  int runs_ = 0;
};

TEST_F(DatasetDamage, AGoodOneIsVerifiedAndTrainedOn) {
  for (const int ranks : {1, 2}) {
    const CommandResult result = train(ranks, "true");
    EXPECT_EQ(result.code, 0) << result.output;
    EXPECT_NE(result.output.find("all 2 shards have their hashes"), std::string::npos) << result.output;
    EXPECT_TRUE(has_trained());
  }
}

TEST_F(DatasetDamage, AFlippedRowEndsTrainingAtTheLatestWhenItIsRead) {
  const auto dataset = Dataset::open(data());
  // Every latent of one geometry, so that the first steps meet one.
  for (const Row& row : dataset->table().rows) {
    hdf5::File shard = hdf5::File::open(
        data() + "/" + dataset->table().files[static_cast<std::size_t>(row.latent_slab.file)],
        hdf5::Access::write);
    const std::uint16_t other = 0x1234;
    shard.root()
        .dataset(dataset->table().datasets[static_cast<std::size_t>(row.latent_slab.dataset)])
        .write(row.latent_slab.offset * row.latent.elements(), 1, &other);
    shard.close();
  }
  for (const int ranks : {1, 2}) {
    const CommandResult late = train(ranks, "false");
    EXPECT_EQ(late.code, 65) << late.output;
    EXPECT_NE(late.output.find("shards/latents-0000"), std::string::npos) << late.output;
    EXPECT_NE(late.output.find("latent of row "), std::string::npos) << late.output;
    EXPECT_NE(late.output.find(", clip-"), std::string::npos) << late.output;
    const CommandResult early = train(ranks, "true");
    EXPECT_EQ(early.code, 65) << early.output;
    EXPECT_NE(early.output.find("data differ of row 0 (clip-0.mp4, frames from 0)"), std::string::npos)
        << early.output;
    EXPECT_FALSE(has_trained());
  }
}

TEST_F(DatasetDamage, ACutOrMissingFileIsNamedBeforeAnythingElse) {
  const std::string shard = data() + "/shards/latents-00001.h5";
  const auto bytes = std::filesystem::file_size(shard);
  std::filesystem::resize_file(shard, bytes / 2);
  const CommandResult cut = train(2, "false");
  EXPECT_EQ(cut.code, 65) << cut.output;
  EXPECT_NE(cut.output.find(cat(shard, ": has ", bytes / 2, " bytes, dataset.yaml announces ", bytes)),
            std::string::npos)
      << cut.output;
  std::filesystem::remove(shard);
  const CommandResult gone = train(2, "false");
  EXPECT_EQ(gone.code, 66) << gone.output;
  EXPECT_NE(gone.output.find(shard), std::string::npos) << gone.output;
  EXPECT_FALSE(has_trained());
}

}  // namespace
}  // namespace wan::test
