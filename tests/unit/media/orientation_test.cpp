#include "media/orientation.hpp"

#include <gtest/gtest.h>

namespace wan {
namespace {

constexpr std::int32_t one = 1 << 16;

Image two_by_three() {
  Image image(2, 3);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<std::uint8_t>(i / 3);
  return image;
}

/// The picture's pixels in reading order, one number each.
std::vector<int> pixels(const Image& image) {
  std::vector<int> out;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) out.push_back(image.rgb[i]);
  return out;
}

TEST(Orientation, every_matrix_of_right_angles_and_mirrors) {
  struct Case {
    std::int32_t a, b, c, d;
    std::vector<int> shown;
  };
  // Stored:  0 1
  //          2 3
  //          4 5
  const Case cases[] = {
      {one, 0, 0, one, {0, 1, 2, 3, 4, 5}},
      {-one, 0, 0, one, {1, 0, 3, 2, 5, 4}},
      {one, 0, 0, -one, {4, 5, 2, 3, 0, 1}},
      {-one, 0, 0, -one, {5, 4, 3, 2, 1, 0}},
      {0, one, one, 0, {0, 2, 4, 1, 3, 5}},
      {0, one, -one, 0, {4, 2, 0, 5, 3, 1}},  // the latter: a quarter clockwise
      {0, -one, one, 0, {1, 3, 5, 0, 2, 4}},
      {0, -one, -one, 0, {5, 3, 1, 4, 2, 0}},
  };
  for (const Case& c : cases) {
    const std::int32_t matrix[9] = {c.a, c.b, 0, c.c, c.d, 0, 0, 0, 1 << 30};
    const Image shown = oriented(two_by_three(), orientation_of(matrix));
    EXPECT_EQ(pixels(shown), c.shown);
    EXPECT_EQ(shown.width, c.a == 0 ? 3 : 2);
  }
}

TEST(Orientation, odd_angles_go_to_the_nearest_axis) {
  const std::int32_t slight[9] = {one, one / 9, 0, -one / 9, one, 0, 0, 0, 1 << 30};
  EXPECT_TRUE(orientation_of(slight).identity());
  const std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
  const std::int32_t extreme[9] = {lowest, lowest, 0, lowest, lowest, 0, 0, 0, 0};
  EXPECT_TRUE(orientation_of(extreme).flip_x);
}

}  // namespace
}  // namespace wan
