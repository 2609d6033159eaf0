#include <gtest/gtest.h>

#include "base/text.hpp"
#include "device/open_device.hpp"
#include "support/tensors.hpp"
#include "unit/dit/samples.hpp"

namespace wan {
namespace {

using test::DitHarness;
using test::DitSample;
using test::relative_l2;

/// Fast arithmetic against fp64 on the same storage: both round what they store, bf16 near ties to different
/// sides. Gradients of keys' biases are differences of nearly equal sums, hence the whole vector is compared.
struct Tolerance {
  DType storage;
  double output;
  double gradient;
};
constexpr Tolerance tolerances[] = {{DType::f32, 5e-6, 2e-5}, {DType::bf16, 1e-2, 3e-2}};

DitConfig config_of(std::int64_t heads, std::int64_t head_dim, std::int64_t ffn, std::int64_t in,
                    std::int64_t out, std::int64_t text, std::int64_t freq) {
  DitConfig config;
  config.num_attention_heads = heads;
  config.attention_head_dim = head_dim;
  config.num_layers = 1;
  config.ffn_dim = ffn;
  config.in_channels = in;
  config.out_channels = out;
  config.text_dim = text;
  config.freq_dim = freq;
  return config;
}

class Widths : public ::testing::TestWithParam<DitConfig> {};
INSTANTIATE_TEST_SUITE_P(odd, Widths,
                         ::testing::Values(config_of(1, 8, 1, 1, 1, 1, 2), config_of(3, 10, 17, 3, 5, 5, 6),
                                           config_of(5, 14, 33, 36, 16, 7, 256),
                                           config_of(1, 128, 129, 4, 4, 64, 64),
                                           config_of(7, 6, 50, 2, 3, 11, 10)),
                         [](const auto& tested) {
                           return cat(tested.param.num_attention_heads, "x", tested.param.attention_head_dim);
                         });

TEST_P(Widths, fast_ops_give_the_reference_model) {
  const DitConfig& config = GetParam();
  DeviceOptions options;
  options.kind = DeviceKind::host;
  options.reference = true;
  const std::unique_ptr<Device> reference = open_device(options);
  const std::vector<DitSample> samples = {test::random_sample(config, {1, 3, 2}, 700, 3, 10),
                                          test::random_sample(config, {2, 1, 1}, 40, 0, 20),
                                          test::random_sample(config, {1, 1, 1}, 999, 1, 30)};
  const std::vector<float> target = test::random_target(config, samples, 3);
  for (const Tolerance& tolerance : tolerances) {
    SCOPED_TRACE(name_of(tolerance.storage));
    DitHarness::Result results[2];
    Device* devices[2] = {&test::test_device(), reference.get()};
    for (int i = 0; i < 2; ++i) {
      DitHarness harness(*devices[i], config, tolerance.storage);
      harness.initialise(1);
      harness.perturb(2, 0.1F);
      results[i] = harness.train(samples, target, 0.1);
    }
    EXPECT_LE(relative_l2(results[0].prediction, results[1].prediction), tolerance.output);
    EXPECT_LE(relative_l2(test::whole_gradient(results[0]), test::whole_gradient(results[1])),
              tolerance.gradient);
  }
}

}  // namespace
}  // namespace wan
