#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "base/text.hpp"
#include "clips.hpp"
#include "media/media_error.hpp"
#include "media/probe.hpp"
#include "media/reader.hpp"
#include "support/coded_video.hpp"

namespace wan {
namespace {

constexpr std::int64_t frames_of_a_test = 180;

/// One way to code a video, and whether seeking in it must work.
struct Way {
  const char* name;
  const char* file;
  test::Coding coding;
  bool seeks = true;
};

std::vector<std::int64_t> uneven_times() {
  std::vector<std::int64_t> times{0};
  for (std::int64_t i = 1; i < frames_of_a_test; ++i)
    times.push_back(times.back() + 1 + (i % 7 == 0 ? 3 : i % 2));
  return times;
}

std::vector<Way> ways() {
  const std::string quick = "scenecut=0:keyint=24:min-keyint=24";
  const auto x264 = [&](const std::string& more) {
    return test::Coding{"libx264", {{"preset", "veryfast"}, {"x264-params", quick + more}}, {16, 1}, {}};
  };
  test::Coding uneven = x264(":bframes=3");
  uneven.times = uneven_times();
  uneven.rate = {30, 1};
  return {
      {"no B-frames", "plain.mp4", x264(":bframes=0")},
      {"B-frames", "b.mp4", x264(":bframes=3")},
      {"pyramid of B-frames, open groups", "open.mp4", x264(":bframes=5:b-pyramid=normal:open-gop=1")},
      {"open groups", "open.mkv", x264(":bframes=3:open-gop=1")},
      {"open groups", "open.mov", x264(":bframes=3:open-gop=1")},
      {"uneven times", "uneven.mp4", uneven},
      {"uneven times", "uneven.mkv", uneven},
      {"one group", "one.mp4", x264(":bframes=3:keyint=1000:min-keyint=1000"), false},
      {"gradual refresh", "refresh.mp4", x264(":bframes=0:intra-refresh=1"), false},
      {"VP9",
       "vp9.webm",
       {"libvpx-vp9", {{"g", "24"}, {"deadline", "realtime"}, {"cpu-used", "8"}}, {16, 1}, {}}},
      {"VP8 with hidden frames",
       "vp8.webm",
       {"libvpx",
        {{"g", "24"},
         {"auto-alt-ref", "1"},
         {"lag-in-frames", "16"},
         {"deadline", "good"},
         {"cpu-used", "5"}},
        {16, 1},
        {}}},
  };
}

const std::vector<Image>& pictures() {
  static const std::vector<Image> drawn = [] {
    std::vector<Image> out;
    for (std::int64_t i = 0; i < frames_of_a_test; ++i) out.push_back(clips::numbered(i));
    return out;
  }();
  return drawn;
}

TEST(Seek, EveryFrameIsTheOneThatDecodingAllGives) {
  const clips::Folder folder;
  std::mt19937 random(7);
  for (const Way& way : ways()) {
    const std::string path = folder.file(way.file);
    test::write_coded(path, pictures(), way.coding);
    const VideoInfo info = probe_video(path);
    VideoReader forward(info, std::nullopt);
    ASSERT_EQ(forward.count(), frames_of_a_test) << way.name;
    std::vector<Image> all;
    for (std::int64_t k = 0; k < frames_of_a_test; ++k) all.push_back(forward.frame(k));
    EXPECT_EQ(forward.decoded(), frames_of_a_test) << way.name;

    VideoReader jumping(info, std::nullopt);
    for (int jump = 0; jump < 60; ++jump) {
      const auto k = static_cast<std::int64_t>(random() % frames_of_a_test);
      ASSERT_EQ(jumping.frame(k).rgb, all[static_cast<std::size_t>(k)].rgb) << way.name << ", frame " << k;
      ASSERT_EQ(clips::number_in(jumping.frame(k)), k) << way.name;
    }
    VideoReader late(info, std::nullopt);
    EXPECT_EQ(late.frame(frames_of_a_test - 1).rgb, all.back().rgb) << way.name;
    // A group of 24 frames, those it is shown after, and the file's first.
    if (way.seeks) {
      EXPECT_LT(late.decoded(), 60) << way.name;
      EXPECT_GE(info.keys.size(), 7U) << way.name;
    }
  }
}

TEST(Seek, OverlappingClipsDecodeLittleTwice) {
  const clips::Folder folder;
  const std::string path = folder.file("a.mp4");
  test::write_coded(path, pictures(),
                    {"libx264", {{"g", "12"}, {"bf", "2"}, {"preset", "veryfast"}}, {16, 1}, {}});
  VideoReader reader(probe_video(path), Rational{16, 1});
  constexpr std::int64_t longest = 17;
  std::int64_t wanted = 0;
  for (std::int64_t start = 0; start + longest <= frames_of_a_test; start += 8) {
    for (std::int64_t k = start; k < start + longest; ++k, ++wanted) {
      ASSERT_EQ(clips::number_in(reader.frame(k)), k);
    }
  }
  // At most a group of 12 and the reordering before each of the clips, and no more.
  EXPECT_LT(reader.decoded(), 2 * wanted);
}

TEST(Seek, AKeyFrameThatIsNoneSendsBackToTheBeginning) {
  const clips::Folder folder;
  const std::string path = folder.file("a.mp4");
  test::write_coded(path, pictures(),
                    {"libx264", {{"g", "1000"}, {"bf", "2"}, {"preset", "veryfast"}}, {16, 1}, {}});
  VideoInfo info = probe_video(path);
  // A container that lies about its key frames.
  for (const std::size_t k : {30U, 60U, 90U, 120U, 150U}) info.keys.push_back(info.timeline.pts[k]);
  VideoReader reader(info, std::nullopt);
  for (const std::int64_t k : {155, 40, 100, 61}) EXPECT_EQ(clips::number_in(reader.frame(k)), k);
}

TEST(Seek, MemoryDoesNotGrowWithTheFile) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer keeps freed memory, so this process grows whatever it holds";
#endif
  const clips::Folder folder;
  // From now on: what tests before this one took does not count.
  const auto forget_peak = [] { std::ofstream("/proc/self/clear_refs") << 5; };
  const auto peak_kb = [] {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line)) {
      if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6));
    }
    return 0LL;
  };
  std::vector<Image> many = pictures();
  for (int i = 0; i < 3; ++i) many.insert(many.end(), pictures().begin(), pictures().end());
  const std::string path = folder.file("a.mp4");
  test::write_coded(path, many, {"libx264", {{"g", "24"}, {"preset", "ultrafast"}}, {16, 1}, {}});
  VideoReader reader(probe_video(path), std::nullopt);
  forget_peak();
  for (std::int64_t k = 0; k < frames_of_a_test; ++k) (void)reader.frame(k);
  const long long before = peak_kb();
  forget_peak();
  for (std::int64_t k = 0; k < reader.count(); ++k) (void)reader.frame(k);
  for (std::int64_t k = reader.count() - 1; k >= 0; k -= 37) (void)reader.frame(k);
  // A frame of 96 x 64 is 18 KB; 540 more of them would be 10 MB.
  EXPECT_LT(peak_kb() - before, 2000);
}

}  // namespace
}  // namespace wan
