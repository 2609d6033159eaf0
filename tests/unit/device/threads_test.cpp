#include <gtest/gtest.h>

#include <cmath>

#include "device/open_device.hpp"
#include "device/ops.hpp"
#include "support/tensors.hpp"
#include "tolerances.hpp"

namespace wan::test {
namespace {

/// A program of its own, since the number of threads belongs to the process.
TEST(Threads, TwoThreadsComputeWhatTheReferenceDoes) {
  DeviceOptions options;
  options.threads = 2;
  const std::unique_ptr<Device> device = open_device(options);
  EXPECT_NE(device->description().find("2 threads"), std::string::npos) << device->description();

  const std::int64_t queries = 400, keys = 700, head_dim = 24, columns = 3 * head_dim;
  const AttentionSegments segments{{0, 150, 390}, {0, 620, 690}, {1, 40}};
  const Owned q = random(*device, DType::f32, {queries, columns}, 1);
  const Owned k = random(*device, DType::f32, {keys, columns}, 2);
  const Owned v = random(*device, DType::f32, {keys, columns}, 3);
  const Owned w = random(*device, DType::f32, {130, columns}, 4);
  const Owned dout = random(*device, DType::f32, {queries, columns}, 5);
  const auto run = [&](Ops& ops) {
    const Owned o = zeros(*device, DType::f32, {queries, columns});
    const Owned lse = zeros(*device, DType::f32, {3, queries});
    const Owned y = zeros(*device, DType::f32, {queries, 130});
    const Owned dq = zeros(*device, DType::f32, {queries, columns});
    const Owned dk = zeros(*device, DType::f32, {keys, columns});
    const Owned dv = zeros(*device, DType::f32, {keys, columns});
    const float scale = 1 / std::sqrt(static_cast<float>(head_dim));
    ops.attention_forward({q, k, v, &segments, head_dim, scale, o, lse});
    ops.attention_backward({q, k, v, o, lse, dout, &segments, head_dim, scale, dq, dk, dv});
    LinearForward linear;
    linear.x = o;
    linear.w = w;
    linear.activation = Activation::gelu_tanh;
    linear.y = y;
    ops.linear_forward(linear);
    return std::vector{o.values(), lse.values(), y.values(), dq.values(), dk.values(), dv.values()};
  };
  const auto found = run(device->ops());
  const auto expected = run(reference_ops());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_LE(relative_l2(found[i], expected[i]), tolerance(DType::f32, true)) << "result " << i;
  }
}

}  // namespace
}  // namespace wan::test
