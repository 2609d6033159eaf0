#include "media/fit.hpp"

#include <gtest/gtest.h>

namespace wan {
namespace {

struct Vector {
  FitMode mode;
  std::int64_t width, height;                  // source
  std::int64_t resized_width, resized_height;  // expected
  std::int64_t crop_x, crop_y, out_width, out_height;
};

/// Target 832x480, by the rules of NeMo DFM's prepare_dataset_wan.py.
TEST(Fit, vectors) {
  const Vector vectors[] = {
      {FitMode::cover, 1280, 720, 853, 480, 10, 0, 832, 480},
      {FitMode::cover, 1920, 1080, 853, 480, 10, 0, 832, 480},
      {FitMode::cover, 640, 480, 832, 624, 0, 72, 832, 480},
      {FitMode::cover, 720, 1280, 832, 1479, 0, 499, 832, 480},
      {FitMode::cover, 832, 480, 832, 480, 0, 0, 832, 480},
      {FitMode::inside, 1280, 720, 832, 468, 0, 0, 832, 468},
      {FitMode::inside, 1920, 800, 832, 346, 0, 0, 832, 346},
      {FitMode::inside, 720, 1280, 270, 480, 0, 0, 270, 480},
      {FitMode::stretch, 720, 1280, 832, 480, 0, 0, 832, 480},
      {FitMode::none, 1279, 719, 1279, 719, 0, 0, 1279, 719},
      {FitMode::inside, 16384, 1, 832, 1, 0, 0, 832, 1},
  };
  for (const Vector& v : vectors) {
    const Fit fit = plan_fit(v.mode, v.width, v.height, 832, 480);
    SCOPED_TRACE(std::to_string(v.width) + "x" + std::to_string(v.height));
    EXPECT_EQ(fit.resized_width, v.resized_width);
    EXPECT_EQ(fit.resized_height, v.resized_height);
    EXPECT_EQ(fit.crop_x, v.crop_x);
    EXPECT_EQ(fit.crop_y, v.crop_y);
    EXPECT_EQ(fit.width, v.out_width);
    EXPECT_EQ(fit.height, v.out_height);
  }
}

Image ramp(std::int64_t width, std::int64_t height) {
  Image image(width, height);
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      image.row(y)[x * 3] = static_cast<std::uint8_t>(x + 1);
      image.row(y)[x * 3 + 1] = static_cast<std::uint8_t>(y + 1);
      image.row(y)[x * 3 + 2] = 200;
    }
  }
  return image;
}

TEST(Fit, cover_cuts_out_the_middle) {
  const Image out = apply_fit(ramp(40, 20), plan_fit(FitMode::cover, 40, 20, 16, 20), ResizeKind::bilinear);
  ASSERT_EQ(out.width, 16);
  ASSERT_EQ(out.height, 20);
  EXPECT_EQ(out.row(0)[0], 12 + 1);
  EXPECT_EQ(out.row(19)[15 * 3], 27 + 1);
  EXPECT_EQ(out.row(19)[1], 19 + 1);
}

/// Truncation can leave a side one pixel short: it is filled with zeros at the bottom or on the right.
TEST(Fit, short_sides_are_padded_with_zeros) {
  const Fit fit{30, 19, 0, 0, 31, 20};
  const Image out = apply_fit(ramp(30, 19), fit, ResizeKind::bilinear);
  ASSERT_EQ(out.width, 31);
  ASSERT_EQ(out.height, 20);
  EXPECT_EQ(out.row(18)[29 * 3 + 2], 200);
  for (std::int64_t x = 0; x < 31 * 3; ++x) EXPECT_EQ(out.row(19)[x], 0);
  for (std::int64_t y = 0; y < 20; ++y) EXPECT_EQ(out.row(y)[30 * 3 + 2], 0);
}

TEST(Fit, cover_always_gives_the_target_and_at_most_one_padded_line) {
  for (std::int64_t width = 1; width < 2000; width += 37) {
    for (std::int64_t height = 1; height < 2000; height += 41) {
      const Fit fit = plan_fit(FitMode::cover, width, height, 832, 480);
      EXPECT_EQ(fit.width, 832);
      EXPECT_EQ(fit.height, 480);
      EXPECT_GE(fit.resized_width - fit.crop_x, 831);
      EXPECT_GE(fit.resized_height - fit.crop_y, 479);
    }
  }
}

}  // namespace
}  // namespace wan
