#include <gtest/gtest.h>

#include <string>

#include "base/text.hpp"
#include "support/sample_runs.hpp"
#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace wan::test {
namespace {

TEST(SampleFullDisk, FailsWithoutHalfAVideoAndContinuesWithRoom) {
  const TemporaryFolder scratch;
  make_model_folder(scratch / "model");
  // Pictures of noise: some 20 KB each.
  std::vector<std::string> flags{"--sizes",        "96*96", "--frame_nums", "1",
                                 "--sample_steps", "1",     "--base_seed",  "1"};
  flags.emplace_back("--prompts");
  for (int i = 0; i < 6; ++i) flags.push_back(cat("picture ", i));
  ASSERT_EQ(run_command(sample_command(1, scratch / "model", scratch / "roomy", flags)).code, 0);

  const SmallDisk disk(std::int64_t{1} << 20);
  NEED_SMALL_DISK(disk)
  const std::string output = disk.path() + "/videos";
  make_folders(output);
  for (const int ranks : {2, 1}) {
    disk.leave_free(48 << 10);
    const CommandResult full = run_command(sample_command(ranks, scratch / "model", output, flags));
    EXPECT_EQ(full.code, 74) << full.output;
    EXPECT_NE(full.output.find("No space left"), std::string::npos) << full.output;
    for (const auto& [name, hash] : bytes_in(output))
      EXPECT_EQ(name.find(".tmp."), std::string::npos) << name;
  }
  disk.leave_free(512 << 10);
  const CommandResult rest = run_command(sample_command(1, scratch / "model", output, flags));
  ASSERT_EQ(rest.code, 0) << rest.output;
  EXPECT_EQ(bytes_in(output), bytes_in(scratch / "roomy"));
}

}  // namespace
}  // namespace wan::test
