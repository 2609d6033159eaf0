#include "prep/scan.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "prep/rejects_csv.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

std::vector<std::string> names(const std::vector<SourceFile>& files) {
  std::vector<std::string> out;
  for (const SourceFile& file : files) out.push_back(file.name);
  return out;
}

TEST(Scan, FindsVideosInOrder) {
  const test::TemporaryFolder folder;
  make_folders(folder / "sub/deeper");
  make_folders(folder / "folder.mp4");
  for (const char* name :
       {"b.mp4", "a.MKV", "c.webm", "d.Mov", "e.avi", "f.json", "mp4", "sub/a.mp4", "sub/deeper/z.mov"}) {
    write_file_atomically(folder / name, "12345");
  }
  EXPECT_EQ(names(scan_videos(folder.path(), false)),
            (std::vector<std::string>{"a.MKV", "b.mp4", "c.webm", "d.Mov"}));
  EXPECT_EQ(names(scan_videos(folder.path() + "/", true)),
            (std::vector<std::string>{"a.MKV", "b.mp4", "c.webm", "d.Mov", "sub/a.mp4", "sub/deeper/z.mov"}));
  EXPECT_EQ(scan_videos(folder.path(), false)[0].bytes, 5);
}

TEST(Scan, SaysWhatIsMissing) {
  const test::TemporaryFolder folder;
  EXPECT_THROW((void)scan_videos(folder / "none", false), NoInputError);
  EXPECT_THROW((void)scan_videos(folder.path(), false), DataError);
  make_folders(folder / "sub");
  write_file_atomically(folder / "sub/a.mp4", "");
  EXPECT_THROW((void)scan_videos(folder.path(), false), DataError);
  EXPECT_EQ(scan_videos(folder.path(), true).size(), 1U);
}

TEST(RejectsCsv, QuotesWhatNeedsIt) {
  const test::TemporaryFolder folder;
  write_rejects_csv(folder / "r.csv", {{"a,b.mp4", -1, "truncated: says \"no\", and ends"},
                                       {"line\nbreak.mp4", 34, "missing_frame: 3"},
                                       {"plain.mp4", 0, "short"}});
  EXPECT_EQ(read_file(folder / "r.csv"),
            "source,frame_start,reason,detail\n"
            "\"a,b.mp4\",,truncated,\"says \"\"no\"\", and ends\"\n"
            "\"line\nbreak.mp4\",34,missing_frame,3\n"
            "plain.mp4,0,short,\n");
}

}  // namespace
}  // namespace wan
