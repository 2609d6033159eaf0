#include "convert/draft_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

bool exists(const std::string& path) {
  return std::filesystem::exists(path);
}

TEST(draft_folder, appears_whole_and_only_when_committed) {
  const test::TemporaryFolder folder;
  const std::string name = folder / "deep/model";
  {
    DraftFolder draft(name + "/");
    write_file_atomically(draft.path() + "/a", "1");
    EXPECT_FALSE(exists(name));
  }
  EXPECT_FALSE(exists(name + ".tmp")) << "not committed: gone";
  DraftFolder draft(name);
  write_file_atomically(draft.path() + "/a", "2");
  draft.commit();
  EXPECT_EQ(read_file(name + "/a"), "2");
  EXPECT_FALSE(exists(name + ".tmp"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(name), {}), 1) << "without the lock";
}

TEST(draft_folder, nothing_is_replaced) {
  const test::TemporaryFolder folder;
  make_folders(folder / "model");
  EXPECT_THROW(DraftFolder(folder / "model"), CreateError);
  std::filesystem::create_symlink("nowhere", folder / "link");
  EXPECT_THROW(DraftFolder(folder / "link"), CreateError);
  // One that appears meanwhile stays as it is.
  DraftFolder draft(folder / "late");
  make_folders(folder / "late/mine");
  EXPECT_THROW(draft.commit(), CreateError);
  EXPECT_TRUE(exists(folder / "late/mine"));
}

TEST(draft_folder, one_at_a_time_and_what_a_killed_one_left_is_taken_over) {
  const test::TemporaryFolder folder;
  const std::string name = folder / "model";
  {
    const DraftFolder draft(name);
    EXPECT_THROW(DraftFolder{name}, CreateError);
    EXPECT_TRUE(exists(draft.path()));
  }
  // As after a kill: the lock's file is there and nobody holds it.
  make_folders(name + ".tmp/half");
  write_file_atomically(name + ".tmp/wan-convert.lock", "");
  {
    DraftFolder draft(name);
    EXPECT_FALSE(exists(draft.path() + "/half"));
    draft.commit();
  }
  EXPECT_TRUE(exists(name));
  // A folder of the user's is none.
  make_folders(folder / "mine.tmp/file");
  EXPECT_THROW(DraftFolder(folder / "mine"), CreateError);
  EXPECT_TRUE(exists(folder / "mine.tmp/file"));
}

}  // namespace
}  // namespace wan
