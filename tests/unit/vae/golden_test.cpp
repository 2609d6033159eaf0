#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "model/vae/posterior.hpp"
#include "model/vae/vae_streams.hpp"
#include "support/hashed.hpp"
#include "support/reference_device.hpp"
#include "support/tensors.hpp"
#include "unit/vae/vae_models.hpp"

// The reference values were computed from the same integer-hash inputs by the official code (Wan2.1 vae.py)
// run in fp64.

namespace wan {
namespace {

using test::hashed_tensor;

constexpr std::int64_t height = 16;
constexpr std::int64_t width = 24;

/// The same code in fp32 is a few 1e-7 from fp64; the rest is room for another order of sums.
constexpr double tolerance = 1e-5;

struct Golden {
  std::int64_t frames;
  std::vector<double> first;
  std::vector<double> last;
  double norm;
};

const Golden encoded[] = {
    {1,
     {-0.14161128, -0.00668410, 0.18057381, -0.11946884, 0.11400370, 0.33496856},
     {-0.14474189, -0.15673966},
     1.54090788},
    {9,
     {-0.10155436, 0.52369601, -0.17338234, -0.06346102, 0.54266173, 0.39711840},
     {0.09890545, 0.05188605},
     3.76617315},
};

const Golden decoded[] = {
    {1,
     {0.10482589, 0.37831907, 0.19205309, 0.39847495, 0.00680933, -0.14878701},
     {-0.14023463, -0.15397504},
     20.7977879},
    {3,
     {0.09889729, 0.21252925, 0.15320412, 0.16146274, 0.14797038, 0.08479820},
     {0.93057264, 0.43067264},
     110.971576},
};

VaeConfig golden_config() {
  VaeConfig config;
  config.base_dim = 8;
  config.z_dim = 4;
  config.latents_mean = hashed_tensor(2000, 4);
  config.latents_std = hashed_tensor(2001, 4, 1.5, 0.5);
  return config;
}

void expect_golden(const Golden& golden, const std::vector<float>& found) {
  const double scale = golden.norm / std::sqrt(static_cast<double>(found.size()));
  for (std::size_t i = 0; i < golden.first.size(); ++i)
    EXPECT_NEAR(found[i], golden.first[i], tolerance * scale) << i;
  for (std::size_t i = 0; i < golden.last.size(); ++i) {
    EXPECT_NEAR(found[found.size() - golden.last.size() + i], golden.last[i], tolerance * scale) << i;
  }
  const double squares = std::inner_product(found.begin(), found.end(), found.begin(), 0.0, std::plus<>(),
                                            [](float a, float b) { return double{a} * double{b}; });
  EXPECT_NEAR(std::sqrt(squares), golden.norm, tolerance * golden.norm);
}

/// Either ops must agree with the official code: the slow ones, so that they may be an oracle, and the fast
/// ones.
class VaeGolden : public testing::TestWithParam<bool> {
 protected:
  VaeGolden() : reference_(test::test_device()) {}

  Device& device() {
    if (GetParam()) return reference_;
    return test::test_device();
  }

 private:
  test::ReferenceDevice reference_;
};

TEST_P(VaeGolden, encodes_as_the_official_code_does) {
  const VaeConfig config = golden_config();
  const test::VaeWeights weights = test::hashed_weights(config);
  const Vae vae(device(), config, test::source_of(weights), DType::f32, VaeParts::encoder);
  for (const Golden& golden : encoded) {
    const std::int64_t frames = golden.frames;
    const std::vector<float> planes = hashed_tensor(2002, 3 * frames * height * width);
    const test::Owned pixels(device(), DType::f32, {frames, height, width, 3},
                             test::transposed(planes, 3, frames * height * width));
    VaeEncoder encoder(vae, {height, width, 4});
    const Tensor moments = encoder.push(pixels);
    const std::vector<float> values = test::values_of(device(), moments);
    const std::int64_t latent_frames = config.latent_frames(frames);
    std::vector<float> latents(static_cast<std::size_t>(config.z_dim * latent_frames * 6));
    write_normalised_mean(config, {values.data(), latent_frames, 2, 3}, 0, {latents.data(), latent_frames});
    expect_golden(golden, latents);
  }
}

TEST_P(VaeGolden, decodes_as_the_official_code_does) {
  const VaeConfig config = golden_config();
  const test::VaeWeights weights = test::hashed_weights(config);
  const Vae vae(device(), config, test::source_of(weights), DType::f32, VaeParts::decoder);
  for (const Golden& golden : decoded) {
    const std::int64_t frames = golden.frames;
    const test::Owned latents(device(), DType::f32, {config.z_dim, frames * 6},
                              hashed_tensor(2003, config.z_dim * frames * 6));
    FrameWalk walk(device(), plan_decode(vae.decoder(), config, {height, width, frames}).memory);
    walk.begin_clip();
    walk.begin_chunk();
    const Tensor video = vae.decoder().forward(walk, latents, {frames, 2, 3, config.z_dim});
    expect_golden(golden, test::transposed(test::values_of(device(), video), video.rows(), 3));
  }
}

INSTANTIATE_TEST_SUITE_P(ops, VaeGolden, testing::Bool(),
                         [](const auto& which) { return which.param ? "reference" : "host"; });

}  // namespace
}  // namespace wan
