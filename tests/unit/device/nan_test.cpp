#include <gtest/gtest.h>

#include <cmath>

#include "device/ops.hpp"
#include "support/tensors.hpp"

// A NaN in a row must reach that row's results: a run that has gone wrong is found by the NaN in its loss,
// which no clamp or maximum on the way may swallow.
namespace wan::test {
namespace {

constexpr std::int64_t rows = 3;
constexpr std::int64_t columns = 40;

/// Random but for one NaN in row 1.
Owned poisoned(DType dtype = DType::f32, std::int64_t width = columns) {
  std::vector<float> values = normals(1, rows * width);
  values[static_cast<std::size_t>(width + 17)] = NAN;
  return {test_device(), dtype, {rows, width}, values};
}

void expect_nan_in_row_1_alone(const Owned& tensor) {
  const std::vector<float> values = tensor.values();
  const std::int64_t width = tensor.view().cols();
  for (std::int64_t row = 0; row < rows; ++row) {
    bool found = false;
    for (std::int64_t c = 0; c < width; ++c)
      found = found || std::isnan(values[static_cast<std::size_t>(row * width + c)]);
    EXPECT_EQ(found, row == 1) << "row " << row;
  }
}

/// The norms of `x`.
void expect_norms_pass_nan(const Owned& x) {
  Device& device = test_device();
  const std::int64_t width = x.view().cols();
  const Owned y = zeros(device, x.view().dtype, {rows, width});
  const Owned weight = random(device, DType::f32, {width}, 3);
  LayerNormForward norm;
  norm.x = x;
  norm.weight = weight;
  norm.bias = weight;
  norm.y = y;
  device.ops().layer_norm_forward(norm);
  expect_nan_in_row_1_alone(y);
  device.ops().rms_norm_rope_forward({x, weight, 1e-6F, width, 0, {}, {}, y, {}});
  expect_nan_in_row_1_alone(y);
}

TEST(Nan, PassesThroughEveryRowOp) {
  Device& device = test_device();
  Ops& ops = device.ops();
  const Owned x = poisoned();
  const Owned y = zeros(device, DType::f32, {rows, columns});
  const Owned w = random(device, DType::f32, {7, columns}, 2);
  for (const Activation activation : {Activation::none, Activation::gelu_tanh, Activation::silu}) {
    ops.activation_forward({activation, x, y});
    expect_nan_in_row_1_alone(y);
    const Owned out = zeros(device, DType::f32, {rows, 7});
    LinearForward linear;
    linear.x = x;
    linear.w = w;
    linear.activation = activation;
    linear.y = out;
    ops.linear_forward(linear);
    expect_nan_in_row_1_alone(out);
  }
  expect_norms_pass_nan(x);
}

TEST(Nan, OfAQueryReachesItsOutputAndOfAKeyReachesAll) {
  Device& device = test_device();
  const Owned bad = poisoned();
  const Owned good = random(device, DType::f32, {rows, columns}, 5);
  const Owned o = zeros(device, DType::f32, {rows, columns});
  const AttentionSegments segments{{0, rows}, {0, rows}, {}};
  device.ops().attention_forward({bad, good, good, &segments, columns, 0.1F, o, {}});
  expect_nan_in_row_1_alone(o);
  device.ops().attention_forward({good, bad, good, &segments, columns, 0.1F, o, {}});
  for (const float value : o.values()) EXPECT_TRUE(std::isnan(value));
}

/// In bf16 and the models' widths, which a GPU has kernels of their own for.
TEST(Nan, PassesThroughWideRows) {
  expect_norms_pass_nan(poisoned(DType::bf16, 1536));
}

TEST(Nan, PassesThroughAttentionToFewKeys) {
  constexpr std::int64_t width = 128;
  Device& device = test_device();
  Ops& ops = device.ops();
  const Owned bad = poisoned(DType::bf16, width);
  const Owned good = random(device, DType::bf16, {rows, width}, 5);
  for (const std::int64_t keys : {20, 150}) {
    const Owned k = random(device, DType::bf16, {keys, width}, 6);
    const Owned o = zeros(device, DType::bf16, {rows, width}), dq = zeros(device, DType::bf16, {rows, width});
    const Owned dk = zeros(device, DType::bf16, {keys, width}),
                dv = zeros(device, DType::bf16, {keys, width});
    const Owned lse = zeros(device, DType::f32, {1, rows});
    const AttentionSegments segments{{0, rows}, {0, keys}, {400}};
    ops.attention_forward({bad, k, k, &segments, width, 0.1F, o, lse});
    expect_nan_in_row_1_alone(o);
    ops.attention_forward({good, k, k, &segments, width, 0.1F, o, lse});
    ops.attention_backward({good, k, k, o, lse, bad, &segments, width, 0.1F, dq, dk, dv});
    expect_nan_in_row_1_alone(dq);
    for (const float value : dk.values()) EXPECT_TRUE(std::isnan(value));
  }
}

TEST(Nan, ReachesLossAndNorm) {
  Device& device = test_device();
  const Owned x = poisoned();
  const Owned target = random(device, DType::f32, {rows * columns}, 4);
  const Owned loss = zeros(device, DType::f32, {1});
  const Owned raw = zeros(device, DType::f32, {1});
  const Tensor flat = x.view().reshaped({rows * columns});
  device.ops().flow_loss({flat, target, {1.0F}, {0, rows * columns}, 1, loss, raw, {}});
  EXPECT_TRUE(std::isnan(loss.values()[0]));
  const DeviceTensor sum(device, DType::f64, {1});
  device.zero(sum.view.data, 8);
  const Owned scale = zeros(device, DType::f32, {1});
  const Owned norm = zeros(device, DType::f32, {1});
  device.ops().sum_squares({flat, sum.view});
  device.ops().clip_factor({sum.view, 1, scale, norm});
  EXPECT_TRUE(std::isnan(norm.values()[0]));
  EXPECT_EQ(scale.values()[0], 0) << "the update is skipped";
}

}  // namespace
}  // namespace wan::test
