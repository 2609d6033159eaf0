#include <gtest/gtest.h>
#include <malloc.h>

#include <cmath>
#include <thread>

#include "base/file.hpp"
#include "clips.hpp"
#include "media/demo_shapes.hpp"
#include "media/media_error.hpp"
#include "media/probe.hpp"
#include "media/reader.hpp"
#include "media/resize.hpp"
#include "media/writer.hpp"

namespace wan {
namespace {

/// 8-bit 4:2:0 keeps a flat colour to 2 (two roundings of Y, Cb, Cr, each up to 0.5, times matrix entries up
/// to 2.0), and the encoder at crf 10 adds about 1 more.
constexpr int flat_colour_tolerance = 3;

TEST(RoundTrip, frames_come_back_in_order_and_number) {
  const clips::Folder folder;
  const std::string path = folder.file("a.mp4");
  clips::write_numbered(path, 81);
  const VideoInfo info = probe_video(path);
  EXPECT_EQ(info.width, clips::width);
  EXPECT_EQ(info.height, clips::height);
  EXPECT_EQ(info.codec, "h264");
  EXPECT_EQ(info.frame_rate, (Rational{16, 1}));
  EXPECT_EQ(info.matrix, "smpte170m");
  EXPECT_FALSE(info.full_range);
  EXPECT_TRUE(info.exact_pts);
  ASSERT_EQ(info.timeline.pts.size(), 81U);
  for (const int threads : {1, 3}) {
    VideoReader reader(info, Rational{16, 1}, threads);
    ASSERT_EQ(reader.count(), 81);
    for (std::int64_t k = 0; k < 81; ++k) ASSERT_EQ(clips::number_in(reader.frame(k)), k);
  }
}

TEST(RoundTrip, resampling_and_going_back) {
  const clips::Folder folder;
  const std::string path = folder.file("a.mp4");
  clips::write_numbered(path, 60, {30000, 1001});
  const VideoInfo info = probe_video(path);
  VideoReader reader(info, Rational{16, 1});
  ASSERT_EQ(reader.count(), 33);  // 60 * 1001 / 30000 s * 16 = 32.03
  for (const std::int64_t k : {0, 3, 3, 20, 32, 5, 31}) {
    const auto shown =
        static_cast<std::int64_t>(std::floor(static_cast<double>(k) / 16.0 * 30000.0 / 1001.0 + 1e-3));
    EXPECT_EQ(clips::number_in(reader.frame(k)), shown);
  }
}

TEST(RoundTrip, flat_colours_come_back) {
  const clips::Folder folder;
  const std::uint8_t colours[][3] = {{255, 0, 0}, {0, 255, 0},  {0, 0, 255},   {255, 255, 255},
                                     {0, 0, 0},   {13, 13, 13}, {200, 120, 40}};
  const std::string path = folder.file("flat.mp4");
  VideoWriter writer(path, 64, 64, {16, 1});
  for (const auto& colour : colours) {
    Image image(64, 64);
    for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = colour[i % 3];
    writer.add(image);
  }
  writer.finish();
  VideoReader reader(probe_video(path), std::nullopt);
  for (std::int64_t k = 0; k < reader.count(); ++k) {
    const Image& image = reader.frame(k);
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
      ASSERT_NEAR(image.rgb[i], colours[k][i % 3], flat_colour_tolerance) << "frame " << k << " byte " << i;
    }
  }
}

/// Fresh memory is filled with different bytes for each of the two files, so that nothing unwritten can
/// decide.
TEST(RoundTrip, equal_frames_give_equal_bytes) {
  const clips::Folder folder;
  for (std::int64_t clip = 0; clip < 8; ++clip) {
    const std::vector<Image> frames = demo::draw_clip(demo::combination(clip), 1, clip);
    std::string bytes[2];
    for (const int run : {0, 1}) {
      mallopt(M_PERTURB, run * 85);
      const std::string path = folder.file("a.mp4");
      VideoWriter writer(path, demo::side * 3 / 2, demo::side, {16, 1}, 4);
      for (const Image& frame : frames)
        writer.add(resize(frame, demo::side * 3 / 2, demo::side, ResizeKind::bilinear));
      writer.finish();
      bytes[run] = read_file(path);
    }
    mallopt(M_PERTURB, 0);
    EXPECT_EQ(bytes[0], bytes[1]) << "clip " << clip;
  }
}

TEST(RoundTrip, rotation_is_honoured) {
  const clips::Folder folder;
  const std::string path = folder.file("a.mp4");
  clips::write_numbered(path, 3);
  VideoReader upright(probe_video(path), std::nullopt);
  std::string mp4 = read_file(path);
  const std::int32_t quarter[9] = {0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30};
  clips::patch_matrix(mp4, quarter);
  write_file_atomically(path, mp4);
  const VideoInfo info = probe_video(path);
  EXPECT_EQ(info.width, clips::height);
  EXPECT_EQ(info.height, clips::width);
  VideoReader turned(info, std::nullopt);
  EXPECT_EQ(turned.frame(2).rgb, oriented(upright.frame(2), {true, true, false}).rgb);
  EXPECT_EQ(turned.frame(2).width, clips::height);
}

TEST(RoundTrip, readers_run_side_by_side) {
  const clips::Folder folder;
  const std::string path = folder.file("a.mp4");
  clips::write_numbered(path, 40);
  std::vector<std::int64_t> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      VideoReader reader(probe_video(path), std::nullopt);
      for (std::int64_t k = 0; k < 40; ++k) wrong[t] += clips::number_in(reader.frame(k)) == k ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<std::int64_t>(4, 0));
}

TEST(Writer, refuses_what_it_cannot_write) {
  const clips::Folder folder;
  EXPECT_THROW(VideoWriter(folder.file("a.mp4"), 63, 64, {16, 1}), UsageError);
  EXPECT_THROW(VideoWriter(folder.file("a.mp4"), 64, 64, {0, 1}), UsageError);
  EXPECT_THROW(VideoWriter(folder.file("a.mp4"), 64, 64, {16, 1}, 99), UsageError);
  VideoWriter empty(folder.file("a.mp4"), 64, 64, {16, 1});
  EXPECT_THROW(empty.finish(), UsageError);
  VideoWriter lost(folder.file("missing/a.mp4"), 64, 64, {16, 1});
  lost.add(Image(64, 64));
  EXPECT_THROW(lost.finish(), CreateError);
}

TEST(Writer, leaves_nothing_without_finish) {
  const clips::Folder folder;
  {
    VideoWriter writer(folder.file("a.mp4"), 64, 64, {16, 1});
    writer.add(Image(64, 64));
  }
  EXPECT_THROW((void)read_file(folder.file("a.mp4")), NoInputError);
}

}  // namespace
}  // namespace wan
