#include "base/file.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

std::int64_t files_in(const std::string& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

TEST(atomic_file, appears_whole_on_commit_and_not_at_all_without) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write("ne");
    file.write("w");
    EXPECT_EQ(read_file(folder / "a"), "old");
    file.commit();
  }
  EXPECT_EQ(read_file(folder / "a"), "new");
  { AtomicFile(folder / "a").write("abandoned"); }
  EXPECT_EQ(read_file(folder / "a"), "new");
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(atomic_file, a_folder_that_is_not_there_is_a_create_error) {
  EXPECT_THROW(AtomicFile("/nowhere/file"), CreateError);
}

TEST(input_file, reads_inside_and_refuses_outside) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "a", "0123456789");
  const InputFile file(folder / "a");
  EXPECT_EQ(file.bytes(), 10);
  std::string part(4, ' ');
  file.read(3, part.data(), 4);
  EXPECT_EQ(part, "3456");
  EXPECT_THROW(file.read(7, part.data(), 4), DataError);
  std::filesystem::resize_file(folder / "a", 4);
  EXPECT_THROW(file.read(3, part.data(), 4), DataError);
  EXPECT_THROW(InputFile(folder / "b"), NoInputError);
  EXPECT_THROW(InputFile(folder.path()), NoInputError);
}

}  // namespace
}  // namespace wan
