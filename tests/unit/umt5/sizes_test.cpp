#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "model/text/umt5_encoder.hpp"
#include "support/forwarding_device.hpp"
#include "support/reference_device.hpp"
#include "support/tensors.hpp"

namespace wan::test {
namespace {

/// Relative L2 distance from the reference ops. fp32: a few roundings a layer. bf16: both round every
/// activation to 8 bits, near ties to different sides, and later layers carry that on.
double tolerance(DType storage) {
  return storage == DType::f32 ? 1e-5 : 3e-2;
}

Umt5Config random_config(std::uint64_t seed) {
  std::uint64_t picked = 0;
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(mix64(seed * 100 + ++picked) %
                                           static_cast<std::uint64_t>(high - low + 1));
  };
  Umt5Config config;
  config.vocab_size = pick(1, 90);
  config.d_model = pick(1, 70);
  config.num_heads = pick(1, 5);
  config.d_kv = pick(1, 20);  // the heads together need not be d_model wide
  config.d_ff = pick(1, 90);
  config.num_layers = pick(1, 4);
  config.relative_attention_num_buckets = pick(4, 40);
  config.relative_attention_max_distance = config.relative_attention_num_buckets + pick(1, 100);
  return config;
}

/// Normals by the hash of the name, scaled by the number of inputs; norms near 1.
void random_weight(const ParameterSpec& spec, float* out) {
  const bool norm = spec.shape.rank() == 1;
  const float deviation = norm ? 0.1F : 1 / std::sqrt(static_cast<float>(spec.shape.back()));
  const std::vector<float> values = normals(bytes_hash(spec.name.data(), spec.name.size()).low,
                                            spec.shape.elements(), deviation, norm ? 1 : 0);
  std::copy(values.begin(), values.end(), out);
}

std::vector<std::vector<std::int32_t>> random_prompts(const Umt5Config& config, std::uint64_t seed) {
  std::vector<std::vector<std::int32_t>> prompts(3);
  for (std::size_t prompt = 0; prompt < prompts.size(); ++prompt) {
    const std::uint64_t length = 1 + mix64(seed * 10 + prompt) % 60;
    for (std::uint64_t i = 0; i < length; ++i) {
      prompts[prompt].push_back(static_cast<std::int32_t>(mix64(seed * 1000 + prompt * 100 + i) %
                                                          static_cast<std::uint64_t>(config.vocab_size)));
    }
  }
  return prompts;
}

TEST(umt5_sizes, fast_ops_compute_what_the_reference_does) {
  ReferenceDevice reference(test_device());
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Umt5Config config = random_config(seed);
    const auto prompts = random_prompts(config, seed);
    for (const DType storage : {DType::f32, DType::bf16}) {
      SCOPED_TRACE(cat("seed ", seed, ", ", name_of(storage)));
      Umt5Encoder slow(reference, config, random_weight, storage);
      Umt5Encoder fast(test_device(), config, random_weight, storage);
      const std::vector<float> expected = values_of(test_device(), slow.encode(prompts));
      const std::vector<float> found = values_of(test_device(), fast.encode(prompts));
      EXPECT_LT(relative_l2(found, expected), tolerance(storage));
    }
  }
}

TEST(umt5_config, buckets_must_fit_the_longest_distance) {
  const auto parse = [](const std::string& text) {
    return Umt5Config::from_json(Json::parse(text, "x"), "x");
  };
  EXPECT_THROW((void)parse(R"({"relative_attention_max_distance": 8})"), DataError);
  EXPECT_THROW((void)parse(R"({"relative_attention_num_buckets": 3})"), DataError);
  EXPECT_EQ(parse(R"({"relative_attention_max_distance": 9})").relative_attention_max_distance, 9);
}

/// Remembers how much was asked for.
class CountingDevice final : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;
  [[nodiscard]] void* allocate(std::int64_t bytes) override {
    allocated.push_back(bytes);
    return ForwardingDevice::allocate(bytes);
  }
  std::vector<std::int64_t> allocated;
};

TEST(umt5_memory, grows_only_to_the_longest_pack_and_as_planned) {
  const Umt5Config config = random_config(3);
  CountingDevice device(test_device());
  Umt5Encoder encoder(device, config, random_weight, DType::f32);
  device.allocated.clear();
  const std::vector<std::int32_t> prompt(40, 0);
  (void)encoder.encode({prompt, prompt});
  EXPECT_EQ(device.allocated, std::vector<std::int64_t>{encoder.activation_bytes({40, 40})});
  (void)encoder.encode({prompt});
  (void)encoder.encode({prompt, prompt});
  EXPECT_EQ(device.allocated.size(), 1U);
}

}  // namespace
}  // namespace wan::test
