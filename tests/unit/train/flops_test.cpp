#include "train/flops.hpp"

#include <gtest/gtest.h>

namespace wan {
namespace {

DitConfig config_of(std::int64_t heads, std::int64_t layers, std::int64_t ffn) {
  DitConfig config;
  config.num_attention_heads = heads;
  config.attention_head_dim = 128;
  config.num_layers = layers;
  config.ffn_dim = ffn;
  return config;
}

// The figures that Megatron-Bridge's formula gives, to the digits published.
TEST(training_flops, published_values) {
  EXPECT_NEAR(training_flops(config_of(40, 40, 13824), {37440}), 6.1841e15, 5e11);
  EXPECT_NEAR(training_flops(config_of(12, 30, 8960), {37440}), 1.0671e15, 5e11);
  EXPECT_NEAR(training_flops(config_of(40, 40, 13824), {32760}), 5.0351e15, 5e11);
  EXPECT_NEAR(training_flops(config_of(12, 30, 8960), {32760}), 8.4901e14, 5e10);
}

TEST(training_flops, samples_add_up) {
  const DitConfig config = config_of(12, 30, 8960);
  EXPECT_DOUBLE_EQ(training_flops(config, {100, 200}),
                   training_flops(config, {100}) + training_flops(config, {200}));
}

}  // namespace
}  // namespace wan
