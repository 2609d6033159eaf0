#include "media/timeline.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace wan {
namespace {

Timeline constant(std::int64_t count, Rational tick, std::int64_t step, std::int64_t first = 0) {
  Timeline timeline{tick, {}, first + count * step};
  for (std::int64_t i = 0; i < count; ++i) timeline.pts.push_back(first + i * step);
  return timeline;
}

std::vector<std::int64_t> chosen(const Timeline& timeline, const TargetRate& rate) {
  std::vector<std::int64_t> frames;
  for (std::int64_t k = 0; k < resampled_count(timeline, rate); ++k)
    frames.push_back(source_frame(timeline, rate, k));
  return frames;
}

std::vector<std::int64_t> iota(std::int64_t count) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(i);
  return out;
}

TEST(Timeline, native_takes_every_frame_once) {
  EXPECT_EQ(chosen(Timeline{{1, 1000}, {-70, -3, 500, 501}, 90000}, std::nullopt), iota(4));
}

TEST(Timeline, same_rate_takes_every_frame_once) {
  for (const Rational tick : {Rational{1, 16}, {1, 48}, {1, 16000}, {1, 90000}}) {
    EXPECT_EQ(chosen(constant(81, tick, tick.den / 16), Rational{16, 1}), iota(81)) << tick.den;
  }
  EXPECT_EQ(chosen(constant(100, {1, 30000}, 1001, -2002), Rational{30000, 1001}), iota(100));
}

TEST(Timeline, millisecond_clocks_do_not_drop_or_repeat) {
  for (const std::int64_t fps : {5, 16, 24, 25, 30, 60, 120}) {
    Timeline timeline{{1, 1000}, {}, 0};
    for (std::int64_t i = 0; i < 400; ++i)
      timeline.pts.push_back(std::lround(1000.0 * static_cast<double>(i) / static_cast<double>(fps)));
    for (const std::int64_t last : {1000 / fps, 1000 / fps + 1}) {
      timeline.end = timeline.pts.back() + last;
      EXPECT_EQ(chosen(timeline, Rational{fps, 1}), iota(400)) << fps;
    }
  }
}

TEST(Timeline, thirty_to_sixteen_shows_what_is_on_screen) {
  EXPECT_EQ(chosen(constant(30, {1, 30000}, 1000), Rational{16, 1}),
            (std::vector<std::int64_t>{0, 1, 3, 5, 7, 9, 11, 13, 15, 16, 18, 20, 22, 24, 26, 28}));
  EXPECT_EQ(chosen(constant(4, {1, 8}, 1), Rational{16, 1}),
            (std::vector<std::int64_t>{0, 0, 1, 1, 2, 2, 3, 3}));
}

TEST(Timeline, long_gaps_repeat_the_frame_before) {
  const Timeline timeline{{1, 1000}, {-500, -400, 600}, 700};
  EXPECT_EQ(chosen(timeline, Rational{10, 1}),
            (std::vector<std::int64_t>{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}));
}

TEST(Timeline, one_short_frame_is_one_frame) {
  EXPECT_EQ(chosen(Timeline{{1, 90000}, {77}, 78}, Rational{16, 1}), iota(1));
}

/// Against the definition in doubles, on random variable-rate timelines; instants within the tolerance may go
/// either way.
TEST(Timeline, agrees_with_the_definition) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    const Rational tick{1, std::int64_t{1} << (7 + random() % 14)};
    Timeline timeline{tick, {static_cast<std::int64_t>(random() % 1000) - 500}, 0};
    for (int i = 0; i < 40; ++i)
      timeline.pts.push_back(timeline.pts.back() + 1 + static_cast<std::int64_t>(random()) % (tick.den / 8));
    timeline.end = timeline.pts.back() + 1 + static_cast<std::int64_t>(random()) % (tick.den / 8);
    const Rational rate{1 + static_cast<std::int64_t>(random() % 60),
                        1 + static_cast<std::int64_t>(random() % 3)};
    const double tolerance = 2.0 * tick.value() < 0.002 ? 2.0 * tick.value() : 0.002;
    const auto seconds = [&](std::int64_t pts) {
      return static_cast<double>(pts - timeline.pts[0]) * tick.value();
    };
    const std::int64_t count = resampled_count(timeline, rate);
    const double span = seconds(timeline.end);
    EXPECT_NEAR(static_cast<double>(count), span * rate.value(), 1.0 + tolerance * rate.value());
    for (std::int64_t k = 0; k < count; ++k) {
      const double instant = static_cast<double>(k) / rate.value();
      const auto i = static_cast<std::size_t>(source_frame(timeline, rate, k));
      EXPECT_LE(seconds(timeline.pts[i]), instant + tolerance + 1e-9);
      if (i + 1 < timeline.pts.size()) {
        EXPECT_GT(seconds(timeline.pts[i + 1]), instant + tolerance - 2 * tick.value() - 1e-9);
      }
    }
  }
}

}  // namespace
}  // namespace wan
