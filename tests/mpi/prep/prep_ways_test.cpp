#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include "base/file.hpp"
#include "base/text.hpp"
#include "data/dataset.hpp"
#include "media/orientation.hpp"
#include "support/coded_video.hpp"
#include "support/prep_runs.hpp"
#include "support/temporary_folder.hpp"
#include "unit/media/clips.hpp"

/// Every way to call wan-prep, through the program, on videos made here.
namespace wan::test {
namespace {

namespace fs = std::filesystem;

using DatasetPtr = std::shared_ptr<const Dataset>;

void caption(const std::string& video, const std::string& text) {
  write_file_atomically(fs::path(video).replace_extension(".json").string(),
                        "{\"caption\": \"" + text + "\"}");
}

/// Grey noise in cells, in which a pixel's luma is all there is: it survives any lossless way.
std::vector<Image> grey_frames(std::int64_t count, std::int64_t width, std::int64_t height) {
  std::vector<Image> frames;
  for (std::int64_t k = 0; k < count; ++k) {
    Image image(width, height);
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        const auto value = static_cast<std::uint8_t>(40 + (x / 4 * 31 + y / 4 * 57 + k * 13) % 160);
        for (int c = 0; c < 3; ++c) image.row(y)[3 * x + c] = value;
      }
    }
    frames.push_back(image);
  }
  return frames;
}

class PrepWays : public ::testing::Test {
 protected:
  [[nodiscard]] std::string videos() const { return scratch_ / "videos"; }
  /// Runs wan-prep, which must succeed, and opens what it made. Everything is in the train split.
  DatasetPtr prepare(const std::string& name, std::vector<std::string> flags, int ranks = 1) {
    flags.insert(flags.begin(), {"--split", "1,0,0", "--threads", "1"});
    const CommandResult result = run_prep_command(ranks, videos(), scratch_ / name, flags);
    EXPECT_EQ(result.code, 0) << result.output;
    said_ = result.output;
    return Dataset::open(scratch_ / name);
  }
  static std::vector<std::int64_t> starts(const DatasetPtr& dataset) {
    std::vector<std::int64_t> out;
    for (const Row& row : dataset->table().rows) out.push_back(row.frame_start);
    return out;
  }

  TemporaryFolder scratch_;
  std::string said_;
};

TEST_F(PrepWays, NativeRateTakesEveryFrameOfAFile) {
  DrawnVideo film;
  film.rate = {24, 1};
  film.frames = 13;
  draw_video(videos(), "film.mp4", film, "at 24");
  Coding uneven;
  uneven.times = {0, 1, 2, 5, 6, 9, 10, 11, 14};
  uneven.options = {{"bf", "2"}};
  write_coded(videos() + "/uneven.mkv", grey_frames(9, 32, 32), uneven);
  caption(videos() + "/uneven.mkv", "at uneven times");

  const auto native = prepare("native", {"--fps", "native"})->table().rows;
  EXPECT_NE(said_.find("frame rate: each file's own"), std::string::npos) << said_;
  ASSERT_EQ(native.size(), 2U);
  EXPECT_EQ(native[0].fps, 24);
  EXPECT_EQ(native[0].frame_count, 13);
  EXPECT_EQ(native[0].latent.frames, 4);
  EXPECT_EQ(native[1].frame_count, 9);

  const auto same = prepare("24", {"--fps", "24"})->table().rows;
  EXPECT_EQ(same[0].latent_hash, native[0].latent_hash);
  // 15 ticks of 1/16 s, of which the last frame has one.
  EXPECT_EQ(same[1].frame_count, 21);
  const auto resampled = prepare("16", {})->table().rows;
  EXPECT_EQ(resampled[0].fps, 16);
  EXPECT_EQ(resampled[0].frame_count, 9);
  EXPECT_NE(resampled[0].latent_hash, native[0].latent_hash);
}

TEST_F(PrepWays, FramesModeMakesStills) {
  DrawnVideo video;
  video.frames = 13;
  draw_video(videos(), "a.mp4", video, "a still");
  const auto stills = prepare("stills", {"--mode", "frames", "--num-frames", "3"});
  EXPECT_NE(said_.find("3 single frames per video"), std::string::npos) << said_;
  EXPECT_EQ(starts(stills), (std::vector<std::int64_t>{0, 6, 12}));
  const auto one = prepare("one", {"--clip_frames", "1", "--start", "6", "--max_clips", "1"});
  ASSERT_EQ(starts(one), (std::vector<std::int64_t>{6}));
  for (const Row& row : stills->table().rows) {
    EXPECT_EQ(row.frame_count, 1);
    EXPECT_EQ(row.latent, (LatentShape{16, 1, 4, 4}));
    EXPECT_EQ(row.latent_hash == one->table().rows[0].latent_hash, row.frame_start == 6);
  }
}

TEST_F(PrepWays, TheSameFramesInAnyContainerAndUprightAreTheSameLatents) {
  make_folders(videos());
  const std::vector<Image> frames = grey_frames(9, 48, 32);
  const Coding lossless{"libx264", {{"qp", "0"}, {"bf", "2"}, {"preset", "veryfast"}}, {16, 1}, {}};
  write_coded(videos() + "/a.mp4", frames, lossless);
  for (const char* name : {"/b.mov", "/c.mkv", "/D.MKV"}) remux(videos() + "/a.mp4", videos() + name);
  write_coded(videos() + "/e.webm", frames,
              {"libvpx-vp9", {{"lossless", "1"}, {"deadline", "realtime"}, {"cpu-used", "8"}}, {16, 1}, {}});
  // Filmed lying on its side, with a note to turn it.
  std::vector<Image> turned;
  for (const Image& frame : frames) {
    turned.push_back(oriented(frame, {true, false, true}));
    ASSERT_EQ(oriented(turned.back(), {true, true, false}).rgb, frame.rgb);
  }
  write_coded(videos() + "/f.mp4", turned, lossless);
  std::string mp4 = read_file(videos() + "/f.mp4");
  const std::int32_t quarter[9] = {0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30};
  clips::patch_matrix(mp4, quarter);
  clips::write_bytes(videos() + "/f.mp4", mp4);
  for (const char* name : {"/a", "/b", "/c", "/D", "/e", "/f"}) caption(videos() + name + ".x", "the same");

  const auto rows = prepare("data", {})->table().rows;
  ASSERT_EQ(rows.size(), 6U);
  for (const Row& row : rows) {
    EXPECT_EQ(row.width, 48) << row.source;
    EXPECT_EQ(row.height, 32) << row.source;
    EXPECT_EQ(row.frame_count, 9) << row.source;
    EXPECT_EQ(row.latent_hash, rows[0].latent_hash) << row.source;
    EXPECT_EQ(row.text_hash, rows[0].text_hash) << row.source;
  }
}

TEST_F(PrepWays, RecursiveFindsFoldersBelowAndJsonlCaptions) {
  DrawnVideo video;
  video.frames = 1;
  const auto draw = [&](const std::string& name, const std::string& text) {
    ++video.seed;
    draw_video(videos(), name, video, text);
  };
  draw("top.mp4", "at the top");
  draw("a b/ü ñ 日本 'q\" $x;.mp4", "odd letters");
  draw("a b/c/deep.mp4", "deep");
  draw("lines.mp4", "");
  write_file_atomically(videos() + "/lines.jsonl", "no json\n{\"id\": 4}\n{\"caption\": \"too late\"}\n");
  draw("more/lines.mp4", "");
  write_file_atomically(videos() + "/more/lines.jsonl",
                        "\n{\"text\": \"second\", \"vila_caption\": \"first\"}\n");
  draw("both.mp4", "of json");
  write_file_atomically(videos() + "/both.jsonl", "{\"caption\": \"of jsonl\"}");
  // Two files of one name share their caption; a link to the folder itself leads round and round.
  remux(videos() + "/both.mp4", videos() + "/both.mkv");
  fs::create_directory_symlink(videos(), videos() + "/a b/round");
  fs::create_directory(videos() + "/folder.mp4");
  fs::create_symlink("nowhere.mp4", videos() + "/lost.mp4");
  caption(videos() + "/lost.mp4", "lost");

  const auto texts = [](const DatasetPtr& dataset) {
    std::map<std::string, std::string> out;
    for (const Row& row : dataset->table().rows) EXPECT_TRUE(out.emplace(row.source, row.caption).second);
    return out;
  };
  const std::map<std::string, std::string> top{
      {"top.mp4", "at the top"}, {"both.mp4", "of json"}, {"both.mkv", "of json"}};
  EXPECT_EQ(texts(prepare("flat", {}, 2)), top);
  std::map<std::string, std::string> all = top;
  all["a b/ü ñ 日本 'q\" $x;.mp4"] = "odd letters";
  all["a b/c/deep.mp4"] = "deep";
  all["more/lines.mp4"] = "first";
  // The data set's own folder may lie among the videos.
  EXPECT_EQ(texts(prepare("videos/a b/data", {"--recursive"}, 2)), all);
  const std::string rejects = read_file(scratch_ / "videos/a b/data/rejects.csv");
  EXPECT_NE(rejects.find("lines.mp4,,malformed_caption,"), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("lost.mp4,,unreadable,"), std::string::npos) << rejects;
}

TEST_F(PrepWays, StartStrideAndMaxClipsChooseTheWindows) {
  DrawnVideo video;
  video.frames = 60;
  draw_video(videos(), "a.mp4", video, "sixty frames");
  const auto windows =
      prepare("windows", {"--clip_frames", "9", "--start", "3", "--stride", "8", "--max_clips", "4"}, 2);
  EXPECT_EQ(starts(windows), (std::vector<std::int64_t>{3, 11, 19, 27}));
  EXPECT_NE(said_.find("up to 9 frames (4n + 1), one every 8 frames from frame 3, at most 4 per video"),
            std::string::npos)
      << said_;
  const auto late = prepare("late", {"--clip_frames", "9", "--start", "27", "--max_clips", "1"});
  EXPECT_EQ(late->table().rows.at(0).latent_hash, windows->table().rows.at(3).latent_hash);
  EXPECT_EQ(late->table().rows.at(0).id, windows->table().rows.at(3).id);
  // Windows that overlap by all but a frame, and the tails: 60 frames are 6 whole clips and 6 left.
  const auto dense = prepare("dense", {"--clip_frames", "9", "--start", "40", "--stride", "1"}, 3);
  EXPECT_EQ(starts(dense).size(), 16U);
  EXPECT_EQ(prepare("tail", {"--clip_frames", "9"})->table().rows.back().frame_count, 5);
  EXPECT_EQ(starts(prepare("no-tail", {"--clip_frames", "9", "--min_tail", "7"})).back(), 45);
  const CommandResult none =
      run_prep_command(2, videos(), scratch_ / "none", {"--clip_frames", "9", "--start", "60"});
  EXPECT_EQ(none.code, 65) << none.output;
  EXPECT_NE(read_file(scratch_ / "none/rejects.csv").find("too_short,\"has 60 frames"), std::string::npos);
}

TEST_F(PrepWays, SplitsGoByTheNameAndStayWhenVideosAreAdded) {
  DrawnVideo video;
  video.frames = 1;
  video.width = video.height = 16;
  const auto draw = [&](int first, int end) {
    for (int i = first; i < end; ++i) draw_video(videos(), cat("v", i, ".mp4"), video, "c");
  };
  const auto splits = [&](const std::string& name) {
    std::map<std::string, Split> out;
    const auto dataset = prepare(name, {"--split", "8,1,1"});
    for (const Row& row : dataset->table().rows) out[row.source] = row.split;
    return out;
  };
  draw(0, 20);
  const auto before = splits("before");
  draw(20, 30);
  const auto after = splits("after");
  ASSERT_EQ(before.size(), 20U);
  ASSERT_EQ(after.size(), 30U);
  for (const auto& [source, split] : before) EXPECT_EQ(after.at(source), split);
  std::map<Split, int> count;
  for (const auto& [source, split] : after) {
    EXPECT_EQ(split, split_of(source, {8, 1, 1}));
    ++count[split];
  }
  EXPECT_EQ(count.size(), 3U);
}

TEST_F(PrepWays, TheEmptyPromptIsThereWhateverTheFirstShardHolds) {
  DrawnVideo video;
  video.frames = 1;
  draw_video(videos(), "b.mp4", video, "a good one");
  const auto good = prepare("good", {"--shard_maxcount", "1"});
  // Now the first of two shards has no clip at all.
  draw_video(videos(), "a.mp4", video, "");
  for (const int ranks : {1, 2}) {
    const auto first_empty = prepare(cat("first-empty-", ranks), {"--shard_maxcount", "1"}, ranks);
    EXPECT_EQ(first_empty->table().rows.size(), 1U);
    EXPECT_EQ(first_empty->null_text().values, good->null_text().values);
  }
}

TEST_F(PrepWays, TheReferenceOpsMakeTheSameLatentsAndTexts) {
  DrawnVideo video;
  video.frames = 5;
  video.width = video.height = 16;
  draw_video(videos(), "a.mp4", video, "a text of several words");
  const auto read = [](const DatasetPtr& dataset) {
    const DatasetSplit rows(dataset, Split::train);
    const Row& row = rows.row(0);
    std::vector<float> latent(static_cast<std::size_t>(row.latent.elements()));
    std::vector<float> text(static_cast<std::size_t>(rows.info(0).text_rows * rows.text_width()));
    rows.read(0, latent.data(), text.data());
    latent.insert(latent.end(), text.begin(), text.end());
    return latent;
  };
  const std::vector<float> fast = read(prepare("fast", {"--latent_dtype", "fp32"}));
  const std::vector<float> slow = read(prepare("slow", {"--latent_dtype", "fp32", "--reference"}));
  ASSERT_EQ(fast.size(), slow.size());
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < fast.size(); ++i) {
    difference += std::pow(static_cast<double>(fast[i]) - slow[i], 2);
    size += std::pow(static_cast<double>(slow[i]), 2);
  }
  // What fp32 may be away from the exact result, as in the parity cases.
  EXPECT_LE(std::sqrt(difference / size), 1e-5);
  EXPECT_NE(fast, slow) << "the reference was not used";
}

TEST_F(PrepWays, TextsComeBeforeClips) {
  draw_video(videos(), "a.mp4", {}, "a text");
  (void)prepare("data", {}, 2);
  const std::size_t texts = said_.find("prep texts=1/1 texts_per_s=");
  const std::size_t clips = said_.find("prep clips=1/1 rejects=0 clips_per_s=");
  ASSERT_NE(texts, std::string::npos) << said_;
  ASSERT_NE(clips, std::string::npos) << said_;
  EXPECT_LT(texts, clips);
}

}  // namespace
}  // namespace wan::test
