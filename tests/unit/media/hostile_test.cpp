#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "base/file.hpp"
#include "clips.hpp"
#include "media/announced_bytes.hpp"
#include "media/media_error.hpp"
#include "media/probe.hpp"
#include "media/reader.hpp"

namespace wan {
namespace {

const std::string data = WAN_SOURCE_DIR "/tests/unit/media/data/";

std::string reason_of(const std::string& path, const MediaLimits& limits = {}) {
  try {
    (void)probe_video(path, limits);
  } catch (const MediaError& error) {
    EXPECT_EQ(error.code(), ExitCode::data);
    EXPECT_EQ(error.path, path);
    return error.reason;
  }
  return "fine";
}

std::string reason_of_bytes(const clips::Folder& folder, const std::string& bytes,
                            const MediaLimits& limits = {}) {
  const std::string path = folder.file("hostile.mp4");
  clips::write_bytes(path, bytes);
  return reason_of(path, limits);
}

/// A good mp4 of 40 numbered frames whose index comes first.
std::string good_mp4(const clips::Folder& folder) {
  const std::string path = folder.file("good.mp4");
  clips::write_numbered(path, 40);
  return clips::index_first(read_file(path));
}

std::vector<std::int64_t> numbers(const std::string& path, const TargetRate& rate) {
  VideoReader reader(probe_video(path), rate);
  std::vector<std::int64_t> found;
  for (std::int64_t k = 0; k < reader.count(); ++k) found.push_back(clips::number_in(reader.frame(k)));
  return found;
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t end) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = first; i < end; ++i) out.push_back(i);
  return out;
}

TEST(Containers, frames_that_are_not_shown_are_not_counted) {
  EXPECT_EQ(numbers(data + "hidden_frames.webm", std::nullopt), range(0, 40));
  std::vector<std::int64_t> shown = range(18, 34);
  shown.push_back(35);
  EXPECT_EQ(numbers(data + "edit_list.mp4", std::nullopt), shown);
}

TEST(Containers, a_clock_of_milliseconds_counts_every_frame_once) {
  EXPECT_EQ(numbers(data + "millisecond_clock.mkv", Rational{25, 1}), range(0, 40));
  EXPECT_EQ(numbers(data + "hidden_frames.webm", Rational{25, 1}), range(0, 40));
}

TEST(Containers, variable_rate_shows_what_is_on_screen) {
  std::vector<std::int64_t> expected = range(0, 10);
  for (std::int64_t i = 10; i < 20; ++i) expected.insert(expected.end(), 2, i);
  for (std::int64_t i = 20; i < 39; ++i) expected.insert(expected.end(), 4, i);
  expected.push_back(39);
  EXPECT_EQ(numbers(data + "variable_rate.mov", Rational{25, 1}), expected);
  EXPECT_EQ(numbers(data + "variable_rate.mov", std::nullopt), range(0, 40));
}

TEST(Hostile, files_that_are_no_video) {
  const clips::Folder folder;
  EXPECT_EQ(reason_of(folder.file("absent.mp4")), "unreadable");
  EXPECT_EQ(reason_of(folder.file(".")), "unreadable");
  EXPECT_EQ(reason_of_bytes(folder, ""), "not_a_video");
  EXPECT_EQ(reason_of_bytes(folder, "{\"caption\": \"a text\"}\n"), "not_a_video");
  EXPECT_EQ(reason_of(data + "only_sound.mp4"), "no_video_stream");
}

/// libav would follow these to other files if it were not told which containers to open.
TEST(Hostile, playlists_are_not_followed) {
  const clips::Folder folder;
  clips::write_numbered(folder.file("secret.mp4"), 4);
  EXPECT_EQ(reason_of_bytes(folder, "ffconcat version 1.0\nfile secret.mp4\n"), "not_a_video");
  EXPECT_EQ(
      reason_of_bytes(folder, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n"),
      "not_a_video");
}

/// Between two boxes and in front of the index nothing announces more: such a rest is no video, but never a
/// shorter one.
TEST(Hostile, cut_anywhere_is_truncated) {
  const clips::Folder folder;
  std::vector<std::string> files = {good_mp4(folder)};
  ASSERT_EQ(reason_of_bytes(folder, files[0]), "fine");
  for (const char* name :
       {"hidden_frames.webm", "millisecond_clock.mkv", "variable_rate.mov", "edit_list.mp4"}) {
    files.push_back(read_file(data + name));
  }
  int cuts = 0;
  int unnamed = 0;
  for (const std::string& whole : files) {
    for (std::size_t size = 60; size < whole.size(); size += 1 + whole.size() / 60) {
      const std::string reason = reason_of_bytes(folder, whole.substr(0, size));
      EXPECT_TRUE(reason == "truncated" || reason == "not_a_video")
          << reason << " at " << size << " of " << whole.size();
      unnamed += reason == "truncated" ? 0 : 1;
      ++cuts;
    }
    EXPECT_EQ(reason_of_bytes(folder, whole.substr(0, whole.size() - 1)), "truncated");
  }
  EXPECT_LE(unnamed, cuts / 20);
}

TEST(Hostile, an_open_ended_box_that_holds_too_little_is_truncated) {
  const clips::Folder folder;
  std::string bytes = good_mp4(folder);
  const std::size_t mdat = bytes.find("mdat");
  bytes.replace(mdat - 4, 4, std::string(4, '\0'));
  ASSERT_EQ(reason_of_bytes(folder, bytes), "fine");
  EXPECT_EQ(announced_bytes(folder.file("hostile.mp4")), static_cast<std::int64_t>(mdat) - 4);
  EXPECT_EQ(reason_of_bytes(folder, bytes.substr(0, bytes.size() - 300)), "truncated");
}

TEST(Hostile, padding_behind_the_last_box_does_no_harm) {
  const clips::Folder folder;
  EXPECT_EQ(reason_of_bytes(folder, good_mp4(folder) + std::string(1000, '\0')), "fine");
}

TEST(Hostile, absurd_sizes_are_refused) {
  const clips::Folder folder;
  const std::string whole = good_mp4(folder);
  for (const auto& [width, height] : {std::pair{65535, 65535}, {16385, 2}, {2, 65535}, {16000, 16000}}) {
    std::string bytes = whole;
    clips::patch_size(bytes, static_cast<std::uint16_t>(width), static_cast<std::uint16_t>(height));
    EXPECT_EQ(reason_of_bytes(folder, bytes), "absurd_size") << width << "x" << height;
  }
  MediaLimits tight;
  tight.max_side = 64;
  EXPECT_EQ(reason_of_bytes(folder, whole, tight), "absurd_size");
}

/// The header's word on the size is not taken: the decoded frame's counts.
TEST(Hostile, a_wrong_size_in_the_header_is_corrected) {
  const clips::Folder folder;
  std::string bytes = good_mp4(folder);
  clips::patch_size(bytes, 640, 480);
  ASSERT_EQ(reason_of_bytes(folder, bytes), "fine");
  const VideoInfo info = probe_video(folder.file("hostile.mp4"));
  EXPECT_EQ(info.width, clips::width);
  EXPECT_EQ(info.height, clips::height);
  EXPECT_EQ(numbers(folder.file("hostile.mp4"), std::nullopt), range(0, 40));
}

TEST(Hostile, limits_hold) {
  const clips::Folder folder;
  const std::string whole = good_mp4(folder);
  MediaLimits few;
  few.max_frames = 39;
  EXPECT_EQ(reason_of_bytes(folder, whole, few), "too_long");
  MediaLimits brief;
  brief.max_duration_s = 2.4;
  EXPECT_EQ(reason_of_bytes(folder, whole, brief), "too_long");
  MediaLimits hasty;
  hasty.max_wall_s = 0;
  EXPECT_EQ(reason_of_bytes(folder, whole, hasty), "timeout");
}

/// Frames a day apart would be a million and more at 16 frames a second.
TEST(Hostile, absurd_durations_are_refused) {
  const clips::Folder folder;
  std::string bytes = good_mp4(folder);
  const auto set_largest = [&](const char* box, std::size_t at) {
    ASSERT_NE(bytes.find(box), std::string::npos) << box;
    bytes.replace(bytes.find(box) + at, 4, "\x7f\xff\xff\xff", 4);
  };
  set_largest("stts", 16);  // ticks per frame
  set_largest("elst", 12);  // shown part, in movie ticks
  EXPECT_EQ(reason_of_bytes(folder, bytes), "too_long");
}

TEST(Hostile, no_frames) {
  const clips::Folder folder;
  std::string bytes = good_mp4(folder);
  const auto empty_table = [&](const char* name, std::size_t count_at) {
    const std::size_t at = bytes.find(name);
    ASSERT_NE(at, std::string::npos) << name;
    bytes.replace(at + count_at, 4, std::string(4, '\0'));
  };
  empty_table("stsz", 12);
  empty_table("stts", 8);
  empty_table("stsc", 8);
  empty_table("stco", 8);
  EXPECT_EQ(reason_of_bytes(folder, bytes), "no_frames");
}

/// A flipped bit may go unnoticed or change pixels slightly, but it never crashes, hangs or yields another
/// size, and every failure is a MediaError.
TEST(Hostile, flipped_bits_end_in_frames_or_in_a_reason) {
  const clips::Folder folder;
  std::vector<std::string> files = {good_mp4(folder)};
  for (const char* name : {"hidden_frames.webm", "millisecond_clock.mkv", "variable_rate.mov"})
    files.push_back(read_file(data + name));
  std::mt19937 random(5);
  int refused = 0;
  int damaged = 0;
  const std::string path = folder.file("flipped.mp4");
  for (int trial = 0; trial < 400; ++trial) {
    std::string bytes = files[static_cast<std::size_t>(trial) % files.size()];
    for (int flips = 1 + trial % 3; flips > 0; --flips) {
      const std::size_t at = random() % bytes.size();
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    }
    clips::write_bytes(path, bytes);
    try {
      const VideoInfo info = probe_video(path);
      VideoReader reader(info, Rational{16, 1});
      for (std::int64_t k = 0; k < std::min<std::int64_t>(reader.count(), 100); ++k) {
        try {
          const Image& image = reader.frame(k);
          ASSERT_EQ(image.width, info.width);
          ASSERT_EQ(image.height, info.height);
        } catch (const MediaError&) {
          ++damaged;
        }
      }
    } catch (const MediaError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 10);
  EXPECT_GT(damaged, 10);
}

/// Damage in one place costs the frames up to the next key frame; what is asked for later is good again.
TEST(Hostile, frames_after_damage_are_refused_until_a_key_frame) {
  const clips::Folder folder;
  std::string bytes = good_mp4(folder);
  const std::size_t mdat = bytes.find("mdat");
  const std::size_t middle = mdat + (bytes.size() - mdat) * 3 / 4;
  for (std::size_t i = 0; i < 40; ++i) bytes[middle + i] = static_cast<char>(i * 37 + 11);
  const std::string path = folder.file("damaged.mp4");
  clips::write_bytes(path, bytes);
  VideoReader reader(probe_video(path), std::nullopt);
  ASSERT_EQ(reader.count(), 40);
  std::int64_t first_bad = -1;
  for (std::int64_t k = 0; k < 40; ++k) {
    try {
      const std::int64_t number = clips::number_in(reader.frame(k));
      EXPECT_EQ(first_bad, -1) << "frame " << k << " was given after frame " << first_bad << " was refused";
      EXPECT_EQ(number, k);
    } catch (const MediaError& error) {
      EXPECT_TRUE(error.reason == "corrupt_frame" || error.reason == "missing_frame") << error.reason;
      if (first_bad < 0) first_bad = k;
    }
  }
  EXPECT_GT(first_bad, 0);
  EXPECT_EQ(clips::number_in(reader.frame(0)), 0);
}

}  // namespace
}  // namespace wan
