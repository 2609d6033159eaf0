#include "base/bf16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/bf16_array.hpp"

namespace wan {
namespace {

TEST(bf16, every_pattern_survives_widening_and_rounding) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const bf16 value{static_cast<std::uint16_t>(bits)};
    if (std::isnan(to_float(value))) {
      EXPECT_TRUE(std::isnan(to_float(to_bf16(to_float(value)))));
    } else {
      EXPECT_EQ(to_bf16(to_float(value)).bits, value.bits);
    }
  }
}

TEST(bf16, rounds_to_nearest_even) {
  EXPECT_EQ(to_float(to_bf16(1.00390625F)), 1.0F);       // half way, even below
  EXPECT_EQ(to_float(to_bf16(1.01171875F)), 1.015625F);  // half way, even above
  EXPECT_EQ(to_float(to_bf16(65504.0F)), 65536.0F);
  EXPECT_TRUE(std::isinf(to_float(to_bf16(std::numeric_limits<float>::max()))));
}

TEST(half, every_pattern_survives_widening_and_rounding) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = half_to_float(static_cast<std::uint16_t>(bits));
    if (!std::isnan(value)) {
      EXPECT_EQ(float_to_half(value), bits);
    }
  }
}

TEST(bf16, many_are_rounded_as_one_is) {
  for (const std::int64_t count : {0, 1, 1000, 3 * (1 << 20) + 5}) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1e-3F * static_cast<float>(i % 7919) - 3;
    std::vector<bf16> rounded(values.size());
    round_to_bf16(values.data(), count, rounded.data());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(rounded[i].bits, to_bf16(values[i]).bits) << i;
  }
}

}  // namespace
}  // namespace wan
