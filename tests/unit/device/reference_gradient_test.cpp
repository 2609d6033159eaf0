#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "device/ops/ref/ref_ops.hpp"
#include "support/tensors.hpp"

// The reference's backward ops against central differences of its forward ops, all in fp64: every other body
// is then only compared with the reference.
namespace wan::test {
namespace {

/// An fp64 tensor in host memory.
class Wide {
 public:
  Wide(std::uint64_t seed, const Shape& shape, float deviation = 1, float mean = 0) : shape_(shape) {
    for (const float value : normals(seed, shape.elements(), deviation, mean)) {
      values_.push_back(static_cast<double>(value));
    }
  }
  static Wide zeros(const Shape& shape) { return {0, shape, 0}; }

  [[nodiscard]] std::vector<double>& values() { return values_; }
  operator Tensor() { return {values_.data(), DType::f64, shape_}; }  // NOLINT(google-explicit-constructor)

 private:
  Shape shape_;
  std::vector<double> values_;
};

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Truncation (h^2 times third derivatives of order 1) and rounding (1e-16 / h) both stay near 1e-10 of
/// |gradient|.
constexpr double step = 1e-5;
constexpr double allowed = 1e-8;

/// `gradient` must be the derivative of `loss` by `input`, along random directions.
void expect_gradient(const char* name, const std::function<double()>& loss, Wide& input, Wide& gradient) {
  const std::vector<double> start = input.values();
  for (std::uint64_t trial = 0; trial < 3; ++trial) {
    std::vector<double> direction;
    for (const float value : normals(900 + trial, static_cast<std::int64_t>(start.size()))) {
      direction.push_back(static_cast<double>(value));
    }
    const auto loss_at = [&](double distance) {
      for (std::size_t i = 0; i < start.size(); ++i) input.values()[i] = start[i] + distance * direction[i];
      return loss();
    };
    const double numeric = (loss_at(step) - loss_at(-step)) / (2 * step);
    input.values() = start;
    const double scale = std::sqrt(dot(gradient.values(), gradient.values()) * dot(direction, direction));
    ASSERT_GT(scale, 0) << name;
    EXPECT_NEAR(dot(gradient.values(), direction) / scale, numeric / scale, allowed) << name;
  }
}

std::vector<std::int32_t> some_rows() {
  return {0, 0, 0, 1, 1, 2, 2};
}

TEST(ReferenceGradient, LinearBehindAnActivation) {
  RefOps ops;
  for (const Activation activation : {Activation::none, Activation::gelu_tanh, Activation::silu}) {
    Wide pre(1, {5, 7}), w(2, {6, 7}), bias(3, {6}), upstream(4, {5, 6});
    const auto forward = [&] {
      Wide x = Wide::zeros({5, 7}), y = Wide::zeros({5, 6});
      ops.activation_forward({activation, pre, x});
      LinearForward a;
      a.x = x;
      a.w = w;
      a.bias = bias;
      a.y = y;
      ops.linear_forward(a);
      return std::pair{x, dot(y.values(), upstream.values())};
    };
    const auto loss = [&] { return forward().second; };
    Wide x = forward().first;
    Wide dpre = Wide::zeros({5, 7}), dw = Wide::zeros({6, 7}), db = Wide::zeros({6});
    ops.linear_backward_data({upstream, w, activation, pre, false, dpre});
    ops.linear_backward_weight({upstream, x, dw, db});
    expect_gradient("x", loss, pre, dpre);
    expect_gradient("w", loss, w, dw);
    expect_gradient("bias", loss, bias, db);
  }
}

TEST(ReferenceGradient, LinearWithItsOwnActivationAndActivation) {
  RefOps ops;
  for (const Activation activation : {Activation::gelu_tanh, Activation::silu}) {
    Wide x(1, {5, 7}), w(2, {6, 7}), upstream(4, {5, 6}), pre = Wide::zeros({5, 6});
    const auto loss = [&] {
      Wide y = Wide::zeros({5, 6});
      LinearForward a;
      a.x = x;
      a.w = w;
      a.activation = activation;
      a.pre = pre;
      a.y = y;
      ops.linear_forward(a);
      return dot(y.values(), upstream.values());
    };
    static_cast<void>(loss());
    Wide du = Wide::zeros({5, 6}), dx = Wide::zeros({5, 7});
    ops.activation_backward({activation, upstream, pre, du});
    ops.linear_backward_data({du, w, Activation::none, {}, false, dx});
    expect_gradient("x", loss, x, dx);
  }
}

TEST(ReferenceGradient, LayerNorm) {
  RefOps ops;
  std::vector<std::int32_t> rows = some_rows();
  const Tensor index(rows.data(), DType::i32, {7});
  for (const bool modulated : {true, false}) {
    const Shape shape = modulated ? Shape{3, 11} : Shape{11};
    Wide x(1, {7, 11}), factor(2, shape), offset(3, shape), upstream(4, {7, 11});
    Wide mean = Wide::zeros({7}), rstd = Wide::zeros({7});
    const auto loss = [&] {
      Wide y = Wide::zeros({7, 11});
      LayerNormForward a;
      a.x = x;
      (modulated ? a.scale : a.weight) = factor;
      (modulated ? a.shift : a.bias) = offset;
      a.row_index = index;
      a.y = y;
      a.mean = mean;
      a.rstd = rstd;
      ops.layer_norm_forward(a);
      return dot(y.values(), upstream.values());
    };
    static_cast<void>(loss());
    Wide dx = Wide::zeros({7, 11}), dfactor = Wide::zeros(shape), doffset = Wide::zeros(shape);
    LayerNormBackward a;
    a.dy = upstream;
    a.x = x;
    a.mean = mean;
    a.rstd = rstd;
    a.row_index = index;
    (modulated ? a.scale : a.weight) = factor;
    (modulated ? a.dscale : a.dweight) = dfactor;
    (modulated ? a.dshift : a.dbias) = doffset;
    a.dx = dx;
    ops.layer_norm_backward(a);
    expect_gradient("x", loss, x, dx);
    expect_gradient(modulated ? "scale" : "weight", loss, factor, dfactor);
    expect_gradient(modulated ? "shift" : "bias", loss, offset, doffset);
  }
}

TEST(ReferenceGradient, GatedResidual) {
  RefOps ops;
  std::vector<std::int32_t> rows = some_rows();
  const Tensor index(rows.data(), DType::i32, {7});
  Wide x(1, {7, 5}), y(2, {7, 5}), gate(3, {3, 5}), upstream(4, {7, 5});
  const auto loss = [&] {
    Wide out = Wide::zeros({7, 5});
    ops.gated_residual_forward({x, y, gate, index, out});
    return dot(out.values(), upstream.values());
  };
  Wide dy = Wide::zeros({7, 5}), dgate = Wide::zeros({3, 5});
  ops.gated_residual_backward({upstream, y, gate, index, dy, dgate});
  expect_gradient("x", loss, x, upstream);
  expect_gradient("y", loss, y, dy);
  expect_gradient("gate", loss, gate, dgate);
}

TEST(ReferenceGradient, ResidualNorm) {
  RefOps ops;
  std::vector<std::int32_t> rows = some_rows();
  const Tensor index(rows.data(), DType::i32, {7});
  for (const bool modulated : {true, false}) {
    const Shape shape = modulated ? Shape{3, 11} : Shape{11};
    Wide x(1, {7, 11}), y(2, {7, 11}), gate(3, {3, 11}), factor(4, shape), offset(5, shape);
    Wide out_upstream(6, {7, 11}), normed_upstream(7, {7, 11});
    Wide out = Wide::zeros({7, 11}), mean = Wide::zeros({7}), rstd = Wide::zeros({7});
    const auto loss = [&] {
      Wide normed = Wide::zeros({7, 11});
      ResidualNormForward a;
      a.residual = {x, y, gate, index, out};
      a.norm.x = out;
      (modulated ? a.norm.scale : a.norm.weight) = factor;
      (modulated ? a.norm.shift : a.norm.bias) = offset;
      a.norm.row_index = index;
      a.norm.y = normed;
      a.norm.mean = mean;
      a.norm.rstd = rstd;
      ops.residual_norm_forward(a);
      return dot(out.values(), out_upstream.values()) + dot(normed.values(), normed_upstream.values());
    };
    static_cast<void>(loss());
    Wide g = out_upstream, dy = normed_upstream;
    Wide dgate = Wide::zeros({3, 11}), dfactor = Wide::zeros(shape), doffset = Wide::zeros(shape);
    ResidualNormBackward a;
    a.norm.dy = dy;
    a.norm.x = out;
    a.norm.mean = mean;
    a.norm.rstd = rstd;
    a.norm.row_index = index;
    (modulated ? a.norm.scale : a.norm.weight) = factor;
    (modulated ? a.norm.dscale : a.norm.dweight) = dfactor;
    (modulated ? a.norm.dshift : a.norm.dbias) = doffset;
    a.norm.dx = g;
    a.residual = {g, y, gate, index, dy, dgate};
    ops.residual_norm_backward(a);
    expect_gradient("x", loss, x, g);
    expect_gradient("y", loss, y, dy);
    expect_gradient("gate", loss, gate, dgate);
    expect_gradient(modulated ? "scale" : "weight", loss, factor, dfactor);
    expect_gradient(modulated ? "shift" : "bias", loss, offset, doffset);
  }
}

TEST(ReferenceGradient, RmsNormRope) {
  RefOps ops;
  const std::int64_t tokens = 6, head_dim = 14, channels = 2 * head_dim, positions = 4;
  Wide cosine = Wide::zeros({positions, head_dim / 2}), sine = Wide::zeros({positions, head_dim / 2});
  for (std::size_t i = 0; i < cosine.values().size(); ++i) {
    cosine.values()[i] = std::cos(0.3 * static_cast<double>(i));
    sine.values()[i] = std::sin(0.3 * static_cast<double>(i));
  }
  std::vector<std::int32_t> places(static_cast<std::size_t>(3 * tokens));
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<std::int32_t>(i * 7 % positions);
  for (const bool rotated : {true, false}) {
    RopeTable rope;
    if (rotated) rope = {cosine, sine, Tensor(places.data(), DType::i32, {tokens, 3})};
    Wide x(1, {tokens, channels}), weight(2, {channels}), upstream(3, {tokens, channels}),
        rstd = Wide::zeros({tokens});
    const auto loss = [&] {
      Wide y = Wide::zeros({tokens, channels});
      ops.rms_norm_rope_forward({x, weight, 1e-3F, channels, head_dim, rope, {}, y, rstd});
      return dot(y.values(), upstream.values());
    };
    static_cast<void>(loss());
    Wide dx = Wide::zeros({tokens, channels}), dweight = Wide::zeros({channels});
    ops.rms_norm_rope_backward({upstream, x, weight, rstd, channels, head_dim, rope, {}, dx, dweight});
    expect_gradient("x", loss, x, dx);
    expect_gradient("weight", loss, weight, dweight);
  }
}

TEST(ReferenceGradient, Attention) {
  RefOps ops;
  const std::int64_t queries = 7, keys = 9, head_dim = 4, columns = 2 * head_dim;
  const AttentionSegments segments{{0, 3, 3, 6}, {0, 4, 5, 9}, {1, 3, 20}};
  Wide q(1, {queries, columns}), k(2, {keys, columns}), v(3, {keys, columns}),
      upstream(4, {queries, columns});
  Wide o = Wide::zeros({queries, columns}), lse = Wide::zeros({2, queries});
  const auto loss = [&] {
    ops.attention_forward({q, k, v, &segments, head_dim, 0.5F, o, lse});
    return dot(o.values(), upstream.values());
  };
  static_cast<void>(loss());
  Wide dq = Wide::zeros({queries, columns}), dk = Wide::zeros({keys, columns}),
       dv = Wide::zeros({keys, columns});
  ops.attention_backward({q, k, v, o, lse, upstream, &segments, head_dim, 0.5F, dq, dk, dv});
  expect_gradient("q", loss, q, dq);
  expect_gradient("k", loss, k, dk);
  expect_gradient("v", loss, v, dv);
}

TEST(ReferenceGradient, FlowLoss) {
  RefOps ops;
  Wide prediction(1, {12}), target(2, {12}), gradient = Wide::zeros({12});
  Wide loss = Wide::zeros({2}), raw = Wide::zeros({2});
  FlowLoss a{prediction, target, {1.5F, 0.25F}, {0, 5, 12}, 0.125F, loss, raw, gradient};
  ops.flow_loss(a);
  const auto scaled = [&] {
    FlowLoss again = a;
    again.gradient = {};
    ops.flow_loss(again);
    return 0.125 * (loss.values()[0] + loss.values()[1]);
  };
  expect_gradient("prediction", scaled, prediction, gradient);
}

}  // namespace
}  // namespace wan::test
