#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "device/open_device.hpp"
#include "support/dit_harness.hpp"
#include "support/hashed.hpp"
#include "support/tensors.hpp"
#include "unit/dit/samples.hpp"

// The reference values were computed from the same integer-hash inputs by the official code (Wan2.1 model.py)
// run in fp64.

namespace wan {
namespace {

using test::DitHarness;
using test::DitSample;
using test::hashed;
using test::hashed_tensor;

struct Golden {
  const char* name;
  double norm;
  double first;
};

const std::vector<Golden> golden = {
#include "unit/dit/golden_gradients.inc"
};

/// fp32: the same code is 5e-7 from fp64; 20 times that leaves room for another order of sums. bf16: two
/// dozen roundings of 2^-9 follow each other; single elements are as far off as the typical one's share of
/// that.
struct Tolerance {
  DType storage;
  double norm;
  double element;
};
constexpr Tolerance exact = {DType::f32, 1e-5, 1e-5};
constexpr Tolerance rounded = {DType::bf16, 3e-2, 5e-2};

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void golden_weight(const ParameterSpec& spec, float* out) {
  for (std::size_t k = 0; k < golden.size(); ++k) {
    if (spec.name != golden[k].name) continue;
    const bool one = ends_with(spec.name, "norm_q.weight") || ends_with(spec.name, "norm_k.weight") ||
                     ends_with(spec.name, "norm2.weight");
    const std::vector<float> values = hashed_tensor(static_cast<std::uint32_t>(k), spec.shape.elements(),
                                                    one ? 1 : 0, spec.shape.rank() >= 2 ? 0.3 : 0.1);
    std::copy(values.begin(), values.end(), out);
    return;
  }
  FAIL() << "no golden value for " << spec.name;
}

double l2(const std::vector<float>& values) {
  return std::sqrt(std::accumulate(values.begin(), values.end(), 0.0, [](double sum, float v) {
    return sum + static_cast<double>(v) * static_cast<double>(v);
  }));
}

void expect_golden(Device& device, const Tolerance& tolerance) {
  EXPECT_NEAR(hashed(7, 1), -0.81326870, 5e-9);
  DitHarness harness(device, test::small_config(), tolerance.storage);
  harness.load(golden_weight);
  ASSERT_EQ(golden.size(), 69U);

  const DitSample sample = {
      {3, 4, 5}, 737, hashed_tensor(1000, 4 * 3 * 8 * 10, 0, 1), 37, hashed_tensor(1001, 37 * 16, 0, 1)};
  const std::vector<float> target = hashed_tensor(1002, 4 * 3 * 8 * 10, 0, 1);
  const DitHarness::Result result = harness.train({sample}, target, 1.0 / 960);

  EXPECT_NEAR(l2(result.prediction), 80.483148, 80.483148 * tolerance.norm);
  const double output[4] = {-0.55189419, 3.63519857, -0.68516433, 3.22764547};
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(result.prediction[i], output[i], 80.483148 / 31 * tolerance.element);
  double loss = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    loss += std::pow(static_cast<double>(result.prediction[i]) - static_cast<double>(target[i]), 2) / 960;
  }
  EXPECT_NEAR(loss, 7.17539690511, 7.17539690511 * tolerance.norm);

  ASSERT_EQ(result.gradient.size(), golden.size());
  for (const Golden& row : golden) {
    const std::vector<float>& gradient = result.gradient.at(row.name);
    EXPECT_NEAR(l2(gradient), row.norm, row.norm * tolerance.norm) << row.name;
    // One element is as exact as the typical element of its tensor.
    const double typical = row.norm / std::sqrt(static_cast<double>(gradient.size()));
    EXPECT_NEAR(gradient[0], row.first, std::max(std::abs(row.first), typical) * 2 * tolerance.element)
        << row.name;
  }
}

TEST(dit_golden, host_ops) {
  expect_golden(test::test_device(), exact);
  expect_golden(test::test_device(), rounded);
}

TEST(dit_golden, reference_ops) {
  DeviceOptions options;
  options.kind = DeviceKind::host;
  options.reference = true;
  const std::unique_ptr<Device> reference = open_device(options);
  expect_golden(*reference, exact);
  expect_golden(*reference, rounded);
}

}  // namespace
}  // namespace wan
