#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "data/dataset.hpp"
#include "data/verify.hpp"
#include "support/small_dataset.hpp"
#include "support/temporary_folder.hpp"
#include "weights/hdf5/file.hpp"

namespace wan {
namespace {

using test::TemporaryFolder;

void write_raw(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// Reads all rows; the values that arrived, in order.
std::vector<float> read_all(const std::string& folder) {
  const auto dataset = Dataset::open(folder);
  std::vector<float> out = dataset->null_text().values;
  for (const Split split : all_splits) {
    const DatasetSplit rows(dataset, split);
    for (std::int64_t i = 0; i < rows.size(); ++i) {
      const SampleInfo info = rows.info(i);
      std::vector<float> latent(static_cast<std::size_t>(info.latent.elements()));
      std::vector<float> text(static_cast<std::size_t>(info.text_rows * rows.text_width()));
      rows.read(i, latent.data(), text.data());
      out.insert(out.end(), latent.begin(), latent.end());
      out.insert(out.end(), text.begin(), text.end());
    }
  }
  return out;
}

TEST(HostileDataset, FlippedBitsOfAShardNeverBecomeData) {
  const TemporaryFolder folder;
  test::write_small_dataset(folder.path(), {});
  const std::vector<float> good = read_all(folder.path());
  const std::string path = folder / "shards/latents-00001.h5";
  const std::string bytes = read_file(path);
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string bad = bytes;
    const std::size_t place = random() % bad.size();
    bad[place] = static_cast<char>(bad[place] ^ (1 << (random() % 8)));
    write_raw(path, bad);
    try {
      EXPECT_EQ(read_all(folder.path()), good) << "bit of byte " << place;
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 30);
}

TEST(HostileDataset, FlippedBitsOfTheIndexAreFound) {
  const TemporaryFolder folder;
  test::write_small_dataset(folder.path(), {});
  const std::string path = folder / "index.h5";
  const std::string bytes = read_file(path);
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    std::string bad = bytes;
    const std::size_t place = random() % bad.size();
    bad[place] = static_cast<char>(bad[place] ^ (1 << (random() % 8)));
    write_raw(path, bad);
    EXPECT_THROW((void)read_all(folder.path()), DataError) << "bit of byte " << place;
    // What a reader without the hash would do with it.
    try {
      (void)read_index(folder.path());
    } catch (const DataError&) {
    }
  }
}

TEST(HostileDataset, CutFilesAreRefused) {
  const TemporaryFolder folder;
  test::write_small_dataset(folder.path(), {});
  std::mt19937 random(3);
  for (const char* name : {"index.h5", "shards/latents-00000.h5", "dataset.yaml"}) {
    const std::string path = folder / name;
    const std::string bytes = read_file(path);
    for (int round = 0; round < 30; ++round) {
      write_raw(path, bytes.substr(0, random() % (bytes.size() - 100)));
      EXPECT_THROW((void)read_all(folder.path()), DataError) << name;
    }
    write_raw(path, bytes);
  }
}

TEST(HostileDataset, AYamlThatLiesIsRefused) {
  const TemporaryFolder folder;
  test::write_small_dataset(folder.path(), {});
  const std::string path = folder / "dataset.yaml";
  const std::string good = read_file(path);
  const std::pair<const char*, const char*> changes[] = {{"format: wan-dataset", "format: other"},
                                                         {"format_version: 1", "format_version: 2"},
                                                         {"rejected: 0", "rejected: -1"},
                                                         {"text_width: 6", "text_width: 7"},
                                                         {"rows_train: ", "rows_train: 9"},
                                                         {"split: [8, 1, 1]", "split: [8, 1]"},
                                                         {"dtype: bf16", "dtype: f8"},
                                                         {"fps: 16", "fps: fast"},
                                                         {"seed: 0", "seed: [[[[[[[["},
                                                         {"vae_hash: \"", "vae_hash: \"x"},
                                                         {"clip_frames: 9", "clip_frames: 1e30"},
                                                         {"mode: video", "mode: &a video\nfit2: *a"},
                                                         {"text_encoder_hash: ", "text_encoder_hasX: "}};
  for (const auto& [from, to] : changes) {
    std::string bad = good;
    const std::size_t at = bad.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    bad.replace(at, std::string(from).size(), to);
    write_raw(path, bad);
    EXPECT_THROW((void)Dataset::open(folder.path()), DataError) << to;
  }
}

TEST(HostileDataset, SlabsStayInsideTheFolder) {
  const TemporaryFolder folder;
  test::write_small_dataset(folder.path(), {});
  for (const char* file : {"../outside.h5", "/etc/passwd", "", "shards/../../outside.h5"}) {
    Index index = read_index(folder.path());
    index.table.files[0] = file;
    test::replace_index(folder.path(), index);
    EXPECT_THROW((void)Dataset::open(folder.path()), DataError) << file;
    index.table.files[0] = "shards/latents-00000.h5";
    test::replace_index(folder.path(), index);
  }
  EXPECT_NO_THROW((void)read_all(folder.path()));
}

TEST(HostileDataset, AnotherSizeIsFoundWhenItIsOpened) {
  const TemporaryFolder folder;
  test::write_small_dataset(folder.path(), {});
  for (const char* name : {"index.h5", "shards/latents-00001.h5"}) {
    const std::string path = folder / name;
    const std::string bytes = read_file(path);
    for (const std::string& bad : {bytes.substr(0, bytes.size() - 1), bytes + "x", std::string()}) {
      write_raw(path, bad);
      try {
        (void)Dataset::open(folder.path());
        ADD_FAILURE() << name << " of " << bad.size() << " bytes";
      } catch (const DataError& error) {
        EXPECT_EQ(error.path, path);
      }
    }
    write_raw(path, bytes);
  }
}

TEST(HostileDataset, VerifyFindsEveryFlippedBitAndNamesItsRow) {
  const TemporaryFolder folder;
  test::write_small_dataset(folder.path(), {});
  const auto dataset = Dataset::open(folder.path());
  EXPECT_TRUE(damaged_files(dataset).empty());
  const std::string path = folder / "shards/latents-00001.h5";
  const std::string bytes = read_file(path);
  std::mt19937 random(5);
  int rows_named = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bad = bytes;
    const std::size_t place = random() % bad.size();
    bad[place] = static_cast<char>(bad[place] ^ (1 << (random() % 8)));
    write_raw(path, bad);
    const std::vector<Damage> damages = damaged_files(dataset);
    ASSERT_EQ(damages.size(), 1U) << "bit of byte " << place;
    EXPECT_EQ(damages[0].file, path);
    if (damages[0].what.find("data differ of row ") != std::string::npos) ++rows_named;
    // It is the second of two shards: the first part's reader does not see it.
    EXPECT_TRUE(damaged_files(dataset, 0, 2).empty());
    EXPECT_EQ(damaged_files(dataset, 1, 2).size(), 1U);
  }
  // Rows are about a sixth of so small a shard, the rest is HDF5's.
  EXPECT_GE(rows_named, 5);
}

TEST(HostileDataset, ARowThatDiffersIsNamedWhenItIsRead) {
  const TemporaryFolder folder;
  test::write_small_dataset(folder.path(), {});
  const auto dataset = Dataset::open(folder.path());
  const DatasetSplit rows(dataset, Split::train);
  const Row& row = rows.row(3);
  const SampleInfo info = rows.info(3);
  std::vector<float> latent(static_cast<std::size_t>(info.latent.elements()));
  std::vector<float> text(static_cast<std::size_t>(info.text_rows * rows.text_width()));
  const std::string file = folder / dataset->table().files[static_cast<std::size_t>(row.latent_slab.file)];
  {
    hdf5::File shard = hdf5::File::open(file, hdf5::Access::write);
    const std::uint16_t other = 0x1234;
    shard.root()
        .dataset(dataset->table().datasets[static_cast<std::size_t>(row.latent_slab.dataset)])
        .write(row.latent_slab.offset * info.latent.elements(), 1, &other);
    shard.close();
  }
  try {
    rows.read(3, latent.data(), text.data());
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.path, file);
    const std::string what = error.what();
    EXPECT_NE(what.find(cat("latent of row ", dataset->rows_of(Split::train)[3], ", ", row.source)),
              std::string::npos)
        << what;
  }
}

TEST(HostileDataset, AMissingShardIsNamed) {
  const TemporaryFolder folder;
  test::write_small_dataset(folder.path(), {});
  std::filesystem::remove(folder / "shards/latents-00001.h5");
  try {
    (void)Dataset::open(folder.path());
    FAIL();
  } catch (const NoInputError& error) {
    EXPECT_NE(std::string(error.what()).find("latents-00001.h5"), std::string::npos);
  }
}

}  // namespace
}  // namespace wan
