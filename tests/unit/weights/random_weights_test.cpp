#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "weights/random_weights.hpp"

namespace wan {
namespace {

std::vector<float> drawn(std::uint64_t seed, const std::string& name, const Shape& shape) {
  ParameterSpec spec;
  spec.name = name;
  spec.shape = shape;
  std::vector<float> out(static_cast<std::size_t>(shape.elements()), -7.0F);
  random_weights(seed)(spec, out.data());
  return out;
}

TEST(RandomWeights, NormsAreOneAndBiasesZero) {
  EXPECT_EQ(drawn(1, "encoder.conv_in.bias", {3}), std::vector<float>(3, 0.0F));
  EXPECT_EQ(drawn(1, "encoder.block.0.layer.0.layer_norm.weight", {3}), std::vector<float>(3, 1.0F));
  EXPECT_EQ(drawn(1, "encoder.norm_out.gamma", {3, 1, 1, 1}), std::vector<float>(3, 1.0F));
}

/// Of deviation 1 / sqrt(inputs), mean 0 and bound: over 300,000 values the errors of both are some 2e-3.
TEST(RandomWeights, MatricesKeepTheSizeOfActivations) {
  const std::int64_t inputs = 75;
  const std::vector<float> values = drawn(1, "blocks.0.attn1.to_q.weight", {4001, 75});
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    ASSERT_LE(std::abs(value), std::sqrt(3.0 / inputs));
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const auto count = static_cast<double>(values.size());
  EXPECT_NEAR(sum / count * std::sqrt(inputs), 0, 0.01);
  EXPECT_NEAR(squares / count * inputs, 1, 0.01);
}

TEST(RandomWeights, DependOnSeedAndNameAlone) {
  const std::vector<float> values = drawn(1, "a.weight", {300, 1000});
  EXPECT_EQ(values, drawn(1, "a.weight", {300, 1000}));
  EXPECT_NE(values, drawn(2, "a.weight", {300, 1000}));
  EXPECT_NE(values, drawn(1, "b.weight", {300, 1000}));
  // A smaller tensor, drawn by fewer threads, has the same values at its beginning.
  const std::vector<float> small = drawn(1, "a.weight", {11, 1000});
  EXPECT_TRUE(std::equal(small.begin(), small.end(), values.begin()));
}

}  // namespace
}  // namespace wan
