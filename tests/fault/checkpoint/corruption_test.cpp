#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/save.hpp"
#include "support/checkpoint_properties.hpp"
#include "support/temporary_folder.hpp"

namespace wan::checkpoint {
namespace {

namespace fs = std::filesystem;

const char* const file_names[] = {"model.h5", "optim.h5", "state.json", "config.yaml", "manifest.json"};

/// A run with steps 1 and 2, whose step 2 is damaged and mended again and again.
class Corruption : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::int64_t step : {1, 2}) {
      ASSERT_TRUE(save(Communicator(), folder_.path(), fake_.snapshot(step, 2, 0, 1)).good());
    }
    for (const char* name : file_names) whole_.push_back(read_file(path_of(name)));
  }

  [[nodiscard]] std::string path_of(const std::string& name) const {
    return folder_ / "iter_0000002/" + name;
  }

  static void overwrite(const std::string& path, const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  }

  /// With file number `file` holding `content`: step 1 is loaded, and right.
  void expect_found(std::size_t file, const std::string& content) {
    overwrite(path_of(file_names[file]), content);
    const auto loaded = open_newest(Communicator(), folder_.path());
    ASSERT_TRUE(loaded.has_value());
    ASSERT_EQ(loaded->step(), 1);
    ASSERT_TRUE(fake_.equal(*loaded));
    overwrite(path_of(file_names[file]), whole_[file]);
  }

  test::TemporaryFolder folder_;
  test::FakeRun fake_{4};
  std::vector<std::string> whole_;
  std::mt19937_64 random_{17};
};

TEST_F(Corruption, any_flipped_bit_is_found_and_the_one_before_is_used) {
  // Structures (headers, groups, gaps) are a small part of the HDF5 files, so half the places are among the
  // first bytes.
  for (int round = 0; round < 300; ++round) {
    const std::size_t file = static_cast<std::size_t>(round) % std::size(file_names);
    std::string content = whole_[file];
    const std::size_t span = round % 2 == 0 ? content.size() : std::min<std::size_t>(content.size(), 4096);
    const std::size_t at = random_() % span;
    content[at] = static_cast<char>(content[at] ^ (1 << (random_() % 8)));
    SCOPED_TRACE(cat("bit in byte ", at, " of ", file_names[file]));
    expect_found(file, content);
  }
  EXPECT_EQ(open_newest(Communicator(), folder_.path())->step(), 2);
}

TEST_F(Corruption, any_truncation_or_growth_is_found_and_the_one_before_is_used) {
  for (int round = 0; round < 100; ++round) {
    const std::size_t file = static_cast<std::size_t>(round) % std::size(file_names);
    const std::size_t length = random_() % whole_[file].size();
    SCOPED_TRACE(cat(file_names[file], " cut to ", length));
    expect_found(file, whole_[file].substr(0, length));
  }
  for (std::size_t file = 0; file < std::size(file_names); ++file) {
    expect_found(file, "");
    expect_found(file, whole_[file] + '\0');
    expect_found(file, std::string(whole_[file].size(), '\0'));
  }
  EXPECT_EQ(open_newest(Communicator(), folder_.path())->step(), 2);
}

TEST_F(Corruption, a_missing_file_or_one_of_another_kind_is_found) {
  for (std::size_t file = 0; file < std::size(file_names); ++file) {
    const std::string path = path_of(file_names[file]);
    const auto expect_first = [&] {
      EXPECT_EQ(open_newest(Communicator(), folder_.path())->step(), 1) << path;
    };
    fs::remove(path);
    expect_first();
    fs::create_directory(path);
    expect_first();
    fs::remove(path);
    fs::create_symlink("/dev/zero", path);
    expect_first();
    fs::remove(path);
    fs::copy_file(folder_ / cat("iter_0000001/", file_names[file]), path);
    expect_first();
    overwrite(path, whole_[file]);
  }
  EXPECT_EQ(open_newest(Communicator(), folder_.path())->step(), 2);
}

}  // namespace
}  // namespace wan::checkpoint
