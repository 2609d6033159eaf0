#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "media/contact_sheet.hpp"
#include "media/media_error.hpp"
#include "media/pixels.hpp"
#include "media/png.hpp"

namespace wan {
namespace {

Image random_image(std::int64_t width, std::int64_t height, unsigned seed) {
  std::mt19937 random(seed);
  Image image(width, height);
  for (std::uint8_t& byte : image.rgb) byte = static_cast<std::uint8_t>(random());
  return image;
}

TEST(Png, comes_back_exactly) {
  for (const std::int64_t width : {1, 7, 64, 333}) {
    const Image image = random_image(width, 5 + width / 2, 3);
    const Image back = decode_png(encode_png(image), "memory");
    EXPECT_EQ(back.width, image.width);
    EXPECT_EQ(back.height, image.height);
    EXPECT_EQ(back.rgb, image.rgb);
  }
}

TEST(Png, broken_bytes_are_refused) {
  const std::string good = encode_png(random_image(20, 20, 1));
  EXPECT_THROW((void)decode_png("", "memory"), MediaError);
  EXPECT_THROW((void)decode_png("not a picture", "memory"), MediaError);
  EXPECT_THROW((void)decode_png(good.substr(0, 30), "memory"), MediaError);
  std::string huge = good;
  huge.replace(16, 8, "\x00\x00\xff\xff\x00\x00\xff\xff", 8);
  EXPECT_THROW((void)decode_png(huge, "memory"), MediaError);
}

TEST(Pixels, bytes_survive_a_trip_through_floats_when_rounded) {
  std::vector<float> frame(256 * 3);
  for (std::size_t i = 0; i < frame.size(); ++i)
    frame[i] = static_cast<float>(i % 256) / 255.0F * 2.0F - 1.0F;
  const Image image = image_from_floats(frame.data(), 16, 16, ToBytes::round);
  for (std::size_t i = 0; i < frame.size(); ++i) EXPECT_EQ(image.rgb[i], i % 256);
}

TEST(Pixels, video_truncates_and_pictures_round) {
  const float inf = std::numeric_limits<float>::infinity();
  const float values[9] = {-1.0F, 1.0F, 0.0F, -7.0F, inf, -inf, std::nanf(""), 0.999F, 0.5F};
  const int truncated[9] = {0, 255, 127, 0, 255, 0, 0, 254, 191};
  const int rounded[9] = {0, 255, 128, 0, 255, 0, 0, 255, 191};
  const Image a = image_from_floats(values, 3, 1, ToBytes::truncate);
  const Image b = image_from_floats(values, 3, 1, ToBytes::round);
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(a.rgb[i], truncated[i]) << values[i];
    EXPECT_EQ(b.rgb[i], rounded[i]) << values[i];
  }
}

TEST(ContactSheet, places_every_picture) {
  const std::vector<Image> images = {random_image(4, 3, 1), random_image(4, 3, 2), random_image(2, 2, 3)};
  const Image sheet = contact_sheet(images, 2, 3, 5);
  EXPECT_EQ(sheet.width, 2 * (4 * 3 + 5) + 5);
  EXPECT_EQ(sheet.height, 2 * (3 * 3 + 5) + 5);
  EXPECT_EQ(sheet.row(5 + 14 + 5)[(5 + 3) * 3], images[2].row(1)[3]);
  EXPECT_EQ(sheet.row(5 + 8)[(5 + 17 + 11) * 3 + 2], images[1].row(2)[3 * 3 + 2]);
  EXPECT_EQ(sheet.row(0)[0], sheet.row(4)[4]);
}

}  // namespace
}  // namespace wan
