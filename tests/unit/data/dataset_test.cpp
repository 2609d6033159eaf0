#include "data/dataset.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "data/verify.hpp"
#include "support/small_dataset.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

using test::SmallDataset;
using test::TemporaryFolder;

std::vector<float> stored_as(std::vector<float> values, DType dtype) {
  if (dtype == DType::bf16) {
    for (float& value : values) value = to_float(to_bf16(value));
  }
  return values;
}

TEST(Dataset, KeepsWhatWasWritten) {
  for (const DType dtype : {DType::bf16, DType::f32}) {
    const TemporaryFolder folder;
    SmallDataset make;
    make.dtype = dtype;
    test::write_small_dataset(folder.path(), make);
    const auto dataset = Dataset::open(folder.path());
    EXPECT_EQ(dataset->info().settings, test::small_settings(make));
    EXPECT_EQ(dataset->table().rows.size(), 40U);
    EXPECT_EQ(dataset->null_text().values, stored_as(test::small_null_text(make.text_width), dtype));
    std::int64_t seen = 0;
    for (const Split split : all_splits) {
      const DatasetSplit rows(dataset, split);
      for (std::int64_t i = 0; i < rows.size(); ++i) {
        const Row& row = rows.row(i);
        EXPECT_EQ(row.split, split);
        EXPECT_EQ(row.caption, "caption of " + row.source);
        EXPECT_EQ(row.id, sample_id(row.source, row.frame_start, row.frame_count));
        std::vector<float> latent(static_cast<std::size_t>(row.latent.elements()));
        std::vector<float> text(static_cast<std::size_t>(row.text_rows * make.text_width));
        rows.read(i, latent.data(), text.data());
        EXPECT_EQ(latent, stored_as(test::small_latent(row), dtype));
        EXPECT_EQ(text, stored_as(test::small_text(row, make.text_width), dtype));
        ++seen;
      }
    }
    EXPECT_EQ(seen, 40);
  }
}

TEST(Dataset, EqualContentIsEqualBytes) {
  const TemporaryFolder folder;
  for (const char* name : {"/a", "/b"}) test::write_small_dataset(folder.path() + name, {});
  for (const char* file :
       {"/dataset.yaml", "/index.h5", "/shards/latents-00000.h5", "/shards/latents-00001.h5"}) {
    EXPECT_EQ(file_hash(folder.path() + "/a" + file), file_hash(folder.path() + "/b" + file)) << file;
  }
}

TEST(Dataset, RowsWrittenInAnyOrderGiveTheSameBytes) {
  const TemporaryFolder folder;
  const SmallDataset make;
  Hash128 bytes;
  for (const bool backwards : {false, true}) {
    make_folders(folder.path() + "/shards");
    create_shard(folder.path(), 0, test::small_plan(make, 0));
    const std::string path = folder.path() + "/" + shard_name(0);
    for (std::int64_t i = 0; i < 20; ++i) {
      // Opened anew for every row, as after a kill.
      Shard shard = Shard::open_to_write(path, std::nullopt);
      const std::int64_t number = backwards ? 19 - i : i;
      const Row row = shard.plan().table.rows[static_cast<std::size_t>(number)];
      EXPECT_EQ(shard.states()[static_cast<std::size_t>(number)], RowState::empty);
      if (number == 7) {
        shard.reject_row(number, "decodes to 3 of 9 frames");
      } else {
        shard.write_text(number, test::small_text(row, make.text_width));
        shard.write_latent(number, test::small_latent(row));
        EXPECT_TRUE(shard.verify_row(number));
      }
      shard.close();
    }
    if (!backwards) bytes = file_hash(path);
  }
  EXPECT_EQ(bytes, file_hash(folder.path() + "/" + shard_name(0)));
  Shard shard = Shard::open_to_read(folder.path() + "/" + shard_name(0));
  EXPECT_EQ(shard.states()[7], RowState::rejected);
  EXPECT_EQ(shard.reject_reason(7), "decodes to 3 of 9 frames");
  RowTable finished;
  append_finished_rows(finished, shard);
  EXPECT_EQ(finished.rows.size(), 19U);
}

TEST(Dataset, LongReasonsAreCutBetweenCharacters) {
  const TemporaryFolder folder;
  make_folders(folder.path() + "/shards");
  create_shard(folder.path(), 0, test::small_plan({}, 0));
  Shard shard = Shard::open_to_write(folder.path() + "/" + shard_name(0), std::nullopt);
  std::string reason(159, 'x');
  shard.reject_row(0, reason + "ä and more");
  EXPECT_EQ(shard.reject_reason(0), reason);
  shard.reject_row(1, "");
  EXPECT_EQ(shard.reject_reason(1), "");
}

TEST(Dataset, SettingsSayHowTheyDiffer) {
  const DatasetSettings here = test::small_settings({});
  EXPECT_EQ(dataset_settings_from_yaml(to_yaml(here), "test"), here);
  DatasetSettings other = here;
  other.fps = std::nullopt;
  other.height = 480;
  EXPECT_EQ(dataset_settings_from_yaml(to_yaml(other), "test"), other);
  EXPECT_EQ(differences(here, here), "");
  // One key came later than the first data sets.
  std::string early = to_yaml(here);
  const std::string late = "encoder_dtype: auto\n";
  early.erase(early.find(late), late.size());
  EXPECT_EQ(dataset_settings_from_yaml(early, "test"), here);
  EXPECT_EQ(differences(here, other), "height: found null, here 480; fps: found 16, here native");
}

// Written by the first version of format 1, which had no encoder_dtype; must open for ever.
TEST(Dataset, Format1Opens) {
  const auto dataset = Dataset::open(std::string(WAN_SOURCE_DIR) + "/tests/unit/data/format_1");
  EXPECT_EQ(dataset->info().settings.encoder_dtype, "auto");
  EXPECT_TRUE(damaged_files(dataset).empty());
  const DatasetSplit rows(dataset, Split::train);
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows.text_width(), 64);
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows.row(i).caption.rfind("a ", 0), 0U) << rows.row(i).caption;
    EXPECT_EQ(rows.info(i).latent.elements(), 16 * 2 * 2);
    std::vector<float> latent(16 * 2 * 2);
    std::vector<float> text(static_cast<std::size_t>(rows.info(i).text_rows * 64));
    rows.read(i, latent.data(), text.data());
    EXPECT_NE(latent, std::vector<float>(latent.size()));
  }
}

TEST(Dataset, AnUnfinishedOneIsNoInput) {
  const TemporaryFolder folder;
  EXPECT_THROW((void)Dataset::open(folder / "none"), NoInputError);
  test::write_small_dataset(folder.path(), {});
  std::filesystem::remove(folder / "dataset.yaml");
  EXPECT_THROW((void)Dataset::open(folder.path()), NoInputError);
}

}  // namespace
}  // namespace wan
