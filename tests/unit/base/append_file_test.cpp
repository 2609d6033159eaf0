#include "base/append_file.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

/// While it lives, files of this process end at `bytes`, as on a disk that is full there.
class FullAt {
 public:
  explicit FullAt(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    struct rlimit small = before_;
    small.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullAt() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, SIG_DFL);
  }
  FullAt(const FullAt&) = delete;
  FullAt& operator=(const FullAt&) = delete;

 private:
  struct rlimit before_ {};
};

TEST(append_file, goes_on_where_it_ended) {
  const test::TemporaryFolder folder;
  for (const char* record : {"one\n", "two\n"}) {
    AppendFile file(folder / "log");
    file.add(record);
    file.flush();
  }
  EXPECT_EQ(read_file(folder / "log"), "one\ntwo\n");
}

// Wherever space ends, only whole records stand in the file, and all of them once there is room.
TEST(append_file, a_full_disk_keeps_records_waiting) {
  const test::TemporaryFolder folder;
  for (const rlim_t room : {4, 5, 7, 8, 11}) {
    SCOPED_TRACE(room);
    const std::string path = folder / std::to_string(room);
    AppendFile file(path);
    const auto append = [&](const char* record) {
      file.add(record);
      file.flush();
    };
    append("one\n");
    {
      const FullAt limit(room);
      append("two\n");
      append("six\n");
      const std::string now = read_file(path);
      EXPECT_EQ(now, room < 8 ? "one\n" : "one\ntwo\n");
      EXPECT_EQ(file.waiting(), static_cast<std::int64_t>(12 - now.size()));
    }
    append("ten\n");
    EXPECT_EQ(file.waiting(), 0);
    EXPECT_EQ(read_file(path), "one\ntwo\nsix\nten\n");
  }
}

TEST(append_file, what_waits_at_the_end_is_tried_again) {
  const test::TemporaryFolder folder;
  auto file = std::make_unique<AppendFile>(folder / "log");
  {
    const FullAt limit(1);
    file->add("one\n");
    file->flush();
  }
  EXPECT_EQ(read_file(folder / "log"), "");
  file.reset();
  EXPECT_EQ(read_file(folder / "log"), "one\n");
}

TEST(append_file, a_folder_that_is_not_there_is_a_create_error) {
  EXPECT_THROW(AppendFile("/nowhere/file"), CreateError);
}

}  // namespace
}  // namespace wan
