#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/error.hpp"
#include "device/ops/text.hpp"
#include "model/text/umt5_encoder.hpp"
#include "support/hashed.hpp"
#include "support/reference_device.hpp"
#include "support/tensors.hpp"
#include "weights/umt5_weight_names.hpp"

// The reference values were computed from the same integer-hash inputs by the official code (Wan2.1 t5.py)
// run in fp64.

namespace wan {
namespace {

/// The same code in fp32 is a few 1e-7 from fp64; the rest is room for another order of sums.
constexpr double tolerance = 1e-5;

Umt5Config golden_config() {
  Umt5Config config;
  config.vocab_size = 32;
  config.d_model = 16;
  config.num_heads = 2;
  config.d_kv = 8;
  config.d_ff = 24;
  config.num_layers = 2;
  return config;
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

/// Tensor k of the official order: norms 1 + 0.1 u, embeddings u, matrices 0.3 u.
Parameters::Source golden_source(const Umt5Config& config) {
  std::map<std::string, std::uint32_t> number;
  for (const WeightName& weight : umt5_weight_names(config)) {
    const auto k = static_cast<std::uint32_t>(number.size());
    number[weight.name] = k;
  }
  return [number](const ParameterSpec& spec, float* out) {
    const bool norm = contains(spec.name, "layer_norm");
    const bool embedding = contains(spec.name, "shared") || contains(spec.name, "relative_attention_bias");
    const std::vector<float> values = test::hashed_tensor(number.at(spec.name), spec.shape.elements(),
                                                          norm ? 1 : 0, norm ? 0.1 : (embedding ? 1 : 0.3));
    std::copy(values.begin(), values.end(), out);
  };
}

std::vector<std::int32_t> golden_prompt() {
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < 150; ++i) ids.push_back((7 * i + 3) % 32);
  return ids;
}

TEST(umt5_golden, hidden_states_are_those_of_the_official_code) {
  test::ReferenceDevice reference(test::test_device());
  for (Device* device : {static_cast<Device*>(&reference), &test::test_device()}) {
    Umt5Encoder encoder(*device, golden_config(), golden_source(golden_config()), DType::f32);
    const std::vector<float> hidden = test::values_of(*device, encoder.encode({golden_prompt()}));
    ASSERT_EQ(hidden.size(), 150U * 16U);
    const std::vector<double> first = {-1.06712971, -0.95598090, -0.67908619, 1.51597499};
    const std::vector<double> last = {1.21816180, 1.45316395, 0.70285359, 0.32782706};
    double squares = 0;
    for (const float value : hidden) squares += static_cast<double>(value) * static_cast<double>(value);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(hidden[i], first[i], tolerance);
      EXPECT_NEAR(hidden[hidden.size() - 4 + i], last[i], tolerance);
    }
    EXPECT_NEAR(std::sqrt(squares), 49.2463634, 49.2463634 * tolerance);
  }
}

TEST(umt5_golden, buckets_of_distances) {
  const std::map<std::int64_t, std::int64_t> golden = {
      {-600, 15}, {-128, 15}, {-91, 15}, {-90, 14}, {-64, 14}, {-46, 13}, {-45, 12}, {-32, 12}, {-23, 11},
      {-22, 10},  {-16, 10},  {-12, 9},  {-11, 8},  {-8, 8},   {-7, 7},   {-1, 1},   {0, 0},    {1, 17},
      {7, 23},    {8, 24},    {11, 24},  {12, 25},  {15, 25},  {16, 26},  {22, 26},  {23, 27},  {31, 27},
      {32, 28},   {45, 28},   {46, 29},  {63, 29},  {64, 30},  {90, 30},  {91, 31},  {511, 31}};
  for (const auto& [distance, bucket] : golden)
    EXPECT_EQ(RelativeBuckets().bucket(distance), bucket) << distance;
}

/// A prompt's hidden states do not depend on what else is in the pack.
TEST(umt5_pack, prompts_do_not_see_each_other) {
  const std::vector<std::int32_t> whole = golden_prompt();
  const std::vector<std::vector<std::int32_t>> prompts = {{whole.begin(), whole.begin() + 9},
                                                          {whole.begin() + 9, whole.begin() + 10},
                                                          {},
                                                          {whole.begin() + 10, whole.end()}};
  for (const DType storage : {DType::f32, DType::bf16}) {
    Device& device = test::test_device();
    Umt5Encoder encoder(device, golden_config(), golden_source(golden_config()), storage);
    const std::vector<float> together = test::values_of(device, encoder.encode(prompts));
    std::vector<float> alone;
    for (const std::vector<std::int32_t>& prompt : prompts) {
      if (prompt.empty()) continue;
      const std::vector<float> one = test::values_of(device, encoder.encode({prompt}));
      alone.insert(alone.end(), one.begin(), one.end());
    }
    // Products of another height may be summed in another order.
    EXPECT_LT(test::relative_l2(together, alone), storage == DType::f32 ? 1e-6 : 5e-3);
  }
}

TEST(umt5_encoder, refuses_tokens_outside_its_vocabulary) {
  Umt5Encoder encoder(test::test_device(), golden_config(), golden_source(golden_config()), DType::f32);
  for (const std::int32_t id : {-1, 32, 2147483647}) {
    EXPECT_THROW((void)encoder.encode({{1, id}}), Error);
  }
  EXPECT_EQ(encoder.encode({{}}).rows(), 0);
}

}  // namespace
}  // namespace wan
