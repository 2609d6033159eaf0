#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "base/file.hpp"
#include "base/text.hpp"
#include "data/dataset.hpp"
#include "support/prep_runs.hpp"
#include "support/temporary_folder.hpp"
#include "unit/media/clips.hpp"

namespace wan::test {
namespace {

/// source -> reason of rejects.csv (the sources here need no quotes).
std::map<std::string, std::string> reasons(const std::string& folder) {
  std::map<std::string, std::string> out;
  for (const std::string& line : split(read_file(folder + "/rejects.csv"), '\n')) {
    const std::vector<std::string> fields = split(line, ',');
    if (fields.size() >= 3) out[fields[0]] = fields[2];
  }
  out.erase("source");
  return out;
}

TEST(PrepRejects, ABadFileIsListedAndHarmsNoOther) {
  const TemporaryFolder scratch;
  const std::string videos = scratch / "videos";
  for (int i = 0; i < 3; ++i) draw_video(videos, cat("good-", i, ".mp4"), {}, "a good one");
  const std::string good = read_file(videos + "/good-0.mp4");
  const auto captioned = [&](const std::string& name, const std::string& bytes) {
    write_file_atomically(videos + "/" + name + ".mp4", bytes);
    write_file_atomically(videos + "/" + name + ".json", R"({"caption": "c"})");
  };
  captioned("empty", "");
  captioned("text", "this is no video");
  captioned("cut", good.substr(0, good.size() / 2));
  captioned("sound", read_file(std::string(WAN_SOURCE_DIR) + "/tests/unit/media/data/only_sound.mp4"));
  std::string huge = good;
  clips::patch_size(huge, 65535, 65535);
  captioned("huge", huge);
  std::filesystem::create_symlink("huge-of-another-disk.mp4", videos + "/lost.mp4");
  std::filesystem::create_symlink("loop.mp4", videos + "/loop.mp4");
  for (const char* name : {"/lost.json", "/loop.json"})
    write_file_atomically(videos + name, R"({"caption": "c"})");
  std::filesystem::create_directory(videos + "/folder.mp4");
  draw_video(videos, "caption-folder.mp4", {}, "");
  std::filesystem::create_directory(videos + "/caption-folder.json");
  draw_video(videos, "caption-of-bytes.mp4", {}, "");
  write_file_atomically(videos + "/caption-of-bytes.json", "{\"caption\": \"\xff\xfe\"}");
  draw_video(videos, "caption-too-long.mp4", {}, "");
  write_file_atomically(videos + "/caption-too-long.json",
                        "{\"caption\": \"" + std::string(70000, 'x') + "\"}");
  DrawnVideo narrow;
  narrow.width = 8;
  narrow.height = 48;
  draw_video(videos, "narrow.mp4", narrow, "c");
  draw_video(videos, "no-caption.mp4", {}, "");
  draw_video(videos, "caption-no-json.mp4", {}, "");
  write_file_atomically(videos + "/caption-no-json.json", "{\"caption\": ");
  draw_video(videos, "caption-a-number.mp4", {}, "");
  write_file_atomically(videos + "/caption-a-number.json", "{\"caption\": 7}");
  draw_video(videos, "caption-a-list.mp4", {}, "");
  write_file_atomically(videos + "/caption-a-list.json", "[\"caption\"]");
  draw_video(videos, "lines-without-text.mp4", {}, "");
  write_file_atomically(videos + "/lines-without-text.jsonl",
                        "\n[1]\n{\"n\": 1}\n{\"caption\": \"too late\"}\n");
  draw_video(videos, "deep-caption.mp4", {}, "");
  write_file_atomically(videos + "/deep-caption.json", std::string(100000, '['));

  const CommandResult result = run_prep_command(2, videos, scratch / "data", {"--clip_frames", "9"});
  ASSERT_EQ(result.code, 0) << result.output;
  const auto dataset = Dataset::open(scratch / "data");
  EXPECT_EQ(dataset->table().rows.size(), 3U);
  auto found = reasons(scratch / "data");
  // Which of libav's words a cut file gets depends on where it was cut.
  EXPECT_EQ(found.count("cut.mp4"), 1U);
  EXPECT_EQ(found.count("empty.mp4"), 1U);
  found.erase("cut.mp4");
  found.erase("empty.mp4");
  EXPECT_EQ(found, (std::map<std::string, std::string>{{"text.mp4", "not_a_video"},
                                                       {"narrow.mp4", "too_small"},
                                                       {"no-caption.mp4", "missing_caption"},
                                                       {"caption-no-json.mp4", "malformed_caption"},
                                                       {"caption-a-number.mp4", "malformed_caption"},
                                                       {"caption-a-list.mp4", "malformed_caption"},
                                                       {"lines-without-text.mp4", "malformed_caption"},
                                                       {"deep-caption.mp4", "malformed_caption"},
                                                       {"sound.mp4", "no_video_stream"},
                                                       {"huge.mp4", "absurd_size"},
                                                       {"lost.mp4", "unreadable"},
                                                       {"loop.mp4", "unreadable"},
                                                       {"caption-folder.mp4", "malformed_caption"},
                                                       {"caption-of-bytes.mp4", "malformed_caption"},
                                                       {"caption-too-long.mp4", "malformed_caption"}}));

  // The good ones alone give the same latents.
  const std::string alone = scratch / "alone";
  for (int i = 0; i < 3; ++i) draw_video(alone, cat("good-", i, ".mp4"), {}, "a good one");
  ASSERT_EQ(run_prep_command(1, alone, scratch / "alone-data", {"--clip_frames", "9"}).code, 0);
  const auto other = Dataset::open(scratch / "alone-data");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(other->table().rows[i].latent_hash, dataset->table().rows[i].latent_hash);
    EXPECT_EQ(other->table().rows[i].text_hash, dataset->table().rows[i].text_hash);
  }
}

TEST(PrepRejects, AVideoThatChangesBetweenPlanningAndEncodingIsRejected) {
  const TemporaryFolder scratch;
  const std::string videos = scratch / "videos";
  for (int i = 0; i < 24; ++i) {
    DrawnVideo video;
    video.seed = static_cast<std::uint64_t>(i);
    video.frames = 33;
    draw_video(videos, cat("v", 100 + i, ".mp4"), video, "c");
  }
  const TemporaryFolder logs;
  Child job(prep_command(1, videos, scratch / "data", {"--clip_frames", "17", "--threads", "1"}),
            logs / "log");
  const std::string shard = scratch / "data/shards/latents-00000.h5";
  for (int i = 0; i < 6000 && !std::filesystem::exists(shard); ++i) ASSERT_EQ(job.wait(0.005), -1);
  // The last video's turn has not come yet.
  DrawnVideo shorter;
  shorter.frames = 20;
  draw_video(videos, "v123.mp4", shorter, "c");
  ASSERT_EQ(job.wait(120), 0) << read_file(logs / "log");
  EXPECT_EQ(reasons(scratch / "data")["v123.mp4"], "changed");
  const auto dataset = Dataset::open(scratch / "data");
  EXPECT_EQ(dataset->table().rows.size(), 47U);
}

}  // namespace
}  // namespace wan::test
