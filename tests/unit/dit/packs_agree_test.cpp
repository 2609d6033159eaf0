#include <gtest/gtest.h>

#include <algorithm>

#include "support/tensors.hpp"
#include "unit/dit/samples.hpp"

namespace wan {
namespace {

using test::DitHarness;
using test::DitSample;
using test::relative_l2;

struct Agreement {
  DType storage;
  double output;
  double gradient;
};

// fp32: sums of a few hundred terms in another order. bf16: one rounding of 2^-9 per operation, of which a
// few dozen follow each other, and gradients of many tokens are rounded before they are summed.
const Agreement agreements[] = {{DType::f32, 5e-6, 1e-5}, {DType::bf16, 1e-2, 3e-2}};

class Packs : public ::testing::TestWithParam<Agreement> {
 protected:
  Packs() : harness_(test::test_device(), test::small_config(), GetParam().storage) {
    harness_.initialise(1);
    harness_.perturb(2, 0.1F);
  }

  void expect_agreement(const std::vector<DitSample>& samples) {
    const std::vector<float> target = test::random_target(test::small_config(), samples, 3);
    const DitHarness::Result together = harness_.train(samples, target, 0.01);
    std::vector<float> predictions;
    std::vector<float> gradient;
    auto from = target.begin();
    for (const DitSample& sample : samples) {
      const std::vector<float> own(from, from + static_cast<std::ptrdiff_t>(sample.latent.size()));
      from += static_cast<std::ptrdiff_t>(own.size());
      const DitHarness::Result alone = harness_.train({sample}, own, 0.01);
      predictions.insert(predictions.end(), alone.prediction.begin(), alone.prediction.end());
      const std::vector<float> part = test::whole_gradient(alone);
      gradient.resize(part.size(), 0.0F);
      std::transform(part.begin(), part.end(), gradient.begin(), gradient.begin(), std::plus<>());
    }
    EXPECT_LE(relative_l2(together.prediction, predictions), GetParam().output);
    EXPECT_LE(relative_l2(test::whole_gradient(together), gradient), GetParam().gradient);
    EXPECT_GT(relative_l2(gradient, std::vector<float>(gradient.size(), 1e-30F)), 1e20)
        << "the gradient is not zero";
  }

  DitHarness harness_;
};
INSTANTIATE_TEST_SUITE_P(both, Packs, ::testing::ValuesIn(agreements));

TEST_P(Packs, of_equal_grids) {
  std::vector<DitSample> samples;
  for (int s = 0; s < 4; ++s) {
    samples.push_back(test::random_sample(test::small_config(), {2, 2, 3}, 100.0F * static_cast<float>(s) + 7,
                                          6, static_cast<std::uint64_t>(10 * s + 100)));
  }
  expect_agreement(samples);
}

TEST_P(Packs, of_different_grids_and_text_lengths) {
  const DitConfig config = test::small_config();
  expect_agreement({test::random_sample(config, {3, 2, 4}, 999, 1, 10),
                    test::random_sample(config, {1, 1, 1}, 0, 0, 20),
                    test::random_sample(config, {1, 5, 3}, 500.5F, 512, 30),
                    test::random_sample(config, {2, 3, 1}, 1000, 511, 40),
                    test::random_sample(config, {1, 4, 4}, 3, 37, 50)});
}

}  // namespace
}  // namespace wan
