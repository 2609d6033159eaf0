#include <gtest/gtest.h>

#include <cmath>

#include "support/tensors.hpp"
#include "unit/dit/samples.hpp"

namespace wan {
namespace {

using test::DitHarness;
using test::DitSample;

/// Central differences of an fp32 forward: its rounding (1e-6 of the loss) over the step's change of the
/// loss.
constexpr double tolerance = 2e-2;

double loss(const std::vector<float>& prediction, const std::vector<float>& target) {
  double sum = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const double d = static_cast<double>(prediction[i]) - static_cast<double>(target[i]);
    sum += d * d;
  }
  return sum;
}

double norm(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum);
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// A direction in which a wrong gradient shows: along the gradient, where rounding drowns the least, and as
/// far along a random one, which elements that the gradient leaves out have a part in.
std::vector<float> direction(const std::vector<float>& gradient, std::uint64_t seed) {
  std::vector<float> out = test::normals(seed, static_cast<std::int64_t>(gradient.size()));
  const double along = norm(gradient);
  const double aside = norm(out);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] =
        static_cast<float>(static_cast<double>(gradient[i]) / along + static_cast<double>(out[i]) / aside);
  }
  return out;
}

TEST(dit_gradient, of_every_parameter_is_the_slope_of_the_loss) {
  Device& device = test::test_device();
  const DitConfig config = test::small_config();
  DitHarness harness(device, config, DType::f32);
  harness.initialise(1);
  harness.perturb(2, 0.2F);
  const std::vector<DitSample> samples = {test::random_sample(config, {2, 2, 3}, 700, 3, 10),
                                          test::random_sample(config, {1, 2, 2}, 40, 0, 20)};
  const std::vector<float> target = test::random_target(config, samples, 3);
  const DitHarness::Result result = harness.train(samples, target, 1);
  const double at = loss(result.prediction, target);
  std::uint64_t seed = 100;
  for (const auto& [name, gradient] : result.gradient) {
    const Parameters::Place place = harness.dit().parameters().find(name);
    const Tensor weight = place.unit->weight(place.parameter);
    const std::vector<float> start = test::values_of(device, weight);
    const std::vector<float> along = direction(gradient, ++seed);
    const double slope = dot(gradient, along);
    // So small that third-order terms vanish, so large that rounding does.
    const double step = std::min(1e-2 * at / slope, 4e-3 * norm(start) + 1e-3);
    const auto loss_at = [&](double distance) {
      std::vector<float> moved = start;
      for (std::size_t i = 0; i < moved.size(); ++i) {
        moved[i] += static_cast<float>(distance * static_cast<double>(along[i]));
      }
      Parameters::upload(device, weight, moved.data());
      return loss(harness.predict(samples, false), target);
    };
    const double measured = (loss_at(step) - loss_at(-step)) / (2 * step);
    Parameters::upload(device, weight, start.data());
    EXPECT_NEAR(measured, slope, slope * tolerance + 2e-6 * at / step) << name << ", step " << step;
  }
}

}  // namespace
}  // namespace wan
