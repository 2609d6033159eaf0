#include <gtest/gtest.h>

#include <vector>

#include "base/philox.hpp"

namespace wan {
namespace {

// Known answers of the Random123 distribution (kat_vectors, philox4x32-10).
TEST(philox, known_answers) {
  const Random4 zero = philox({{0, 0}, 0, 0}, 0);
  EXPECT_EQ(zero.v[0], 0x6627e8d5U);
  EXPECT_EQ(zero.v[1], 0xe169c58dU);
  EXPECT_EQ(zero.v[2], 0xbc57ac4cU);
  EXPECT_EQ(zero.v[3], 0x9b00dbd8U);
  const Random4 ones = philox({{0xffffffffU, 0xffffffffU}, 0xffffffffU, 0xffffffffU}, 0xffffffffffffffffULL);
  EXPECT_EQ(ones.v[0], 0x408f276dU);
  EXPECT_EQ(ones.v[1], 0x41c83b0eU);
  EXPECT_EQ(ones.v[2], 0xa20bc7c6U);
  EXPECT_EQ(ones.v[3], 0x6d5451fdU);
}

TEST(philox, normals_do_not_depend_on_how_they_are_cut) {
  const RandomKey key = random_key(1234, 99, 7, Purpose::noise);
  std::vector<float> whole(1001);
  fill_normal(key, 0, 1001, whole.data());
  for (std::int64_t first : {1, 2, 3, 4, 5, 130, 997}) {
    std::vector<float> part(static_cast<std::size_t>(1001 - first));
    fill_normal(key, static_cast<std::uint64_t>(first), 1001 - first, part.data());
    for (std::size_t i = 0; i < part.size(); ++i)
      EXPECT_EQ(part[i], whole[static_cast<std::size_t>(first) + i]);
  }
}

TEST(philox, normals_have_unit_variance_and_streams_differ) {
  constexpr std::int64_t count = 200000;
  std::vector<float> a(count);
  std::vector<float> b(count);
  fill_normal(random_key(1, 2, 3, Purpose::noise), 0, count, a.data());
  fill_normal(random_key(1, 2, 4, Purpose::noise), 0, count, b.data());
  double sum = 0;
  double squares = 0;
  double product = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i];
    squares += static_cast<double>(a[i]) * a[i];
    product += static_cast<double>(a[i]) * b[i];
  }
  // Five standard errors of each estimate.
  EXPECT_NEAR(sum / count, 0.0, 5 / std::sqrt(count));
  EXPECT_NEAR(squares / count, 1.0, 5 * std::sqrt(2.0 / count));
  EXPECT_NEAR(product / count, 0.0, 5 / std::sqrt(count));
}

}  // namespace
}  // namespace wan
