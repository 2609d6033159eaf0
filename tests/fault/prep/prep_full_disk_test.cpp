#include <gtest/gtest.h>

#include <string>

#include "base/text.hpp"
#include "support/prep_runs.hpp"
#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

TEST(PrepFullDisk, FailsWithWhatIsNeededAndContinuesWithRoom) {
  const TemporaryFolder scratch;
  const std::string videos = scratch / "videos";
  for (int i = 0; i < 8; ++i) {
    DrawnVideo video;
    video.seed = static_cast<std::uint64_t>(i);
    video.frames = 17;
    video.width = 64;
    video.height = 64;
    draw_video(videos, cat(i, ".mp4"), video, "c");
  }
  // Four shards of about 40 KB; the disk has room for the first two.
  const std::vector<std::string> flags{"--clip_frames", "17", "--shard_maxcount", "2", "--threads", "1"};
  ASSERT_EQ(run_prep_command(1, videos, scratch / "roomy", flags).code, 0);
  const SmallDisk disk(std::int64_t{8} << 20);
  ASSERT_EQ(disk.problem(), "") << "this test mounts a small tmpfs, which needs root";
  const std::string output = disk.path() + "/data";
  for (const int ranks : {2, 1}) {
    disk.leave_free(100 << 10);
    const CommandResult full = run_prep_command(ranks, videos, output, flags);
    EXPECT_EQ(full.code, 74) << full.output;
    EXPECT_NE(full.output.find("No space left"), std::string::npos) << full.output;
    for (const auto& [name, hash] : dataset_bytes(output)) {
      EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
    }
  }
  disk.leave_free(4 << 20);
  const CommandResult rest = run_prep_command(2, videos, output, flags);
  ASSERT_EQ(rest.code, 0) << rest.output;
  EXPECT_EQ(dataset_bytes(output), dataset_bytes(scratch / "roomy"));
}

}  // namespace
}  // namespace wan::test
