#include "data/mock.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace wan {
namespace {

TEST(Mock, SamplesDifferAndRepeatExactly) {
  const LatentShape shape{16, 3, 8, 8};
  const MockDataset mock(7, 100, shape, 5, 32);
  std::vector<float> a(static_cast<std::size_t>(shape.elements()));
  std::vector<float> b(a.size());
  std::vector<float> text_a(5 * 32);
  std::vector<float> text_b(5 * 32);
  mock.read(3, a.data(), text_a.data());
  mock.read(4, b.data(), text_b.data());
  EXPECT_NE(a, b);
  EXPECT_NE(text_a, text_b);
  MockDataset(7, 100, shape, 5, 32).read(3, b.data(), text_b.data());
  EXPECT_EQ(a, b);
  EXPECT_EQ(text_a, text_b);
  MockDataset(8, 100, shape, 5, 32).read(3, b.data(), text_b.data());
  EXPECT_NE(a, b);
  double sum = 0;
  double squares = 0;
  for (const float value : a) {
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(a.size());
  // Four standard deviations of the mean and of the variance of 3072 normals.
  EXPECT_NEAR(sum / count, 0, 4 / std::sqrt(count));
  EXPECT_NEAR(squares / count, 1, 4 * std::sqrt(2 / count));
  EXPECT_EQ(mock.info(42).id, 42U);
  EXPECT_EQ(mock.null_text().values, std::vector<float>(32, 0.0F));
}

}  // namespace
}  // namespace wan
