#include <limits>

#include "op_case.hpp"

namespace wan::test {
namespace {

std::vector<std::int64_t> some_offsets(Case& c, std::int64_t samples) {
  std::vector<std::int64_t> out = {0};
  for (std::int64_t s = 0; s < samples; ++s) out.push_back(out.back() + c.size(0, 5000));
  return out;
}

TEST(FillNormal, EqualsTheStreamElementByElement) {
  compare_with_reference(10, [](Case& c, Ops& ops) {
    FillNormal a;
    a.offset = some_offsets(c, 3);
    for (std::uint64_t s = 0; s < 3; ++s) a.keys.push_back(random_key(5, s, 2, Purpose::noise));
    const Owned out = c.fp32({a.offset.back()});
    a.out = out;
    ops.fill_normal(a);
    return std::vector<Output>{output("out", out)};
  });
}

TEST(Flow, MixEqualsReference) {
  compare_with_reference(15, [](Case& c, Ops& ops) {
    FlowMix a;
    a.offset = some_offsets(c, 3);
    a.sigma = {0.0F, 0.37F, 1.0F};
    const std::int64_t n = a.offset.back();
    const Owned clean = c.tensor({n});
    const Owned noise = c.fp32({n});
    const Owned noisy = c.tensor({n});
    const Owned target = c.fp32({n});
    a.clean = clean;
    a.noise = noise;
    a.noisy = noisy;
    a.target = target;
    ops.flow_mix(a);
    return std::vector<Output>{output("noisy", noisy), output("target", target)};
  });
}

TEST(Flow, LossEqualsReference) {
  compare_with_reference(15, [](Case& c, Ops& ops) {
    FlowLoss a;
    a.offset = some_offsets(c, 4);
    a.offset.back() += 70000;  // several blocks of partial sums
    a.weight = {1.0F, 0.0F, 2.5F, 1.3F};
    a.scale = 0.01F;
    const std::int64_t n = a.offset.back();
    const Owned prediction = c.tensor({n});
    const Owned target = c.fp32({n});
    const Owned loss = c.fp32({4});
    const Owned raw = c.fp32({4});
    const Owned slope = c.tensor({n});
    a.prediction = prediction;
    a.target = target;
    a.loss = loss;
    a.raw = raw;
    if (c.coin()) a.gradient = slope;
    ops.flow_loss(a);
    return std::vector<Output>{output("loss", loss), output("raw", raw), gradient("gradient", slope)};
  });
}

std::vector<Output> adamw_step(Case& c, Ops& ops, std::int64_t n,
                               const std::vector<std::pair<std::int64_t, std::int64_t>>& decayed) {
  const Owned gradients = c.fp32({n});
  const Owned scale = c.fp32({1}, 0.1F, 1);
  const Owned m = c.fp32({n}, 0.1F);
  const Owned v(test_device(), DType::f32, {n}, std::vector<float>(static_cast<std::size_t>(n), 0.02F));
  const Owned master = c.fp32({n});
  const Owned apart = c.tensor({n});
  const bool shared = c.coin();
  AdamW a;
  a.gradient = gradients;
  a.gradient_scale = scale;
  a.exp_avg = m;
  a.exp_avg_sq = v;
  a.master = master;
  a.parameter = shared ? master : apart;
  a.decayed = decayed;
  a.lr = 0.01F;
  a.weight_decay = 0.1F;
  a.step = c.size(1, 100);
  ops.adamw(a);
  return {output("m", m), output("v", v), output("master", master), output("parameter", apart)};
}

TEST(Optimizer, AdamWEqualsReference) {
  compare_with_reference(15, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(1, 9000);
    return adamw_step(c, ops, n, {{0, n / 3}, {n / 3, n / 3}, {n / 2, n}});
  });
}

/// As of a block's weights and biases, and more of them: a GPU takes many ranges in one launch.
TEST(Optimizer, AdamWEqualsReferenceOnManyRanges) {
  compare_with_reference(5, [](Case& c, Ops& ops) {
    std::vector<std::pair<std::int64_t, std::int64_t>> decayed;
    std::int64_t end = 0;
    for (std::int64_t range = c.size(1, 50); range > 0; --range) {
      const std::int64_t first = end + 4 * c.size(0, 50);
      end = first + 4 * c.size(1, c.coin() ? 1500 : 3);
      decayed.emplace_back(first, end);
    }
    return adamw_step(c, ops, end + c.size(0, 9), decayed);
  });
}

TEST(Optimizer, NormAndClippingEqualReference) {
  compare_with_reference(15, [](Case& c, Ops& ops) {
    const Owned x = c.fp32({c.size(0, 80000)});
    const DeviceTensor sum(test_device(), DType::f64, {1});
    test_device().zero(sum.view.data, 8);
    const Owned scale = c.fp32({1});
    const Owned norm = c.fp32({1});
    ops.sum_squares({x, sum.view});
    ops.sum_squares({x, sum.view});
    const float limits[] = {0.0F, 1.0F, 1e6F};
    ops.clip_factor({sum.view, limits[c.size(0, 2)], scale, norm});
    return std::vector<Output>{output("scale", scale), output("norm", norm)};
  });
}

// With the gradient's sum finite and any of the others not.
TEST(Optimizer, AStepIsSkippedForASumThatIsNotFinite) {
  Device& device = test_device();
  const Owned scale = zeros(device, DType::f32, {1});
  const Owned norm = zeros(device, DType::f32, {1});
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
    const DeviceTensor sums(device, DType::f64, {3});
    device.zero(sums.view.data, sums.view.bytes());
    const Owned good(device, DType::f32, {2}, {3, 4});
    const Owned poisoned(device, DType::f32, {2}, {1, bad});
    const auto sum = [&](std::int64_t i) { return Tensor(sums.view.as<double>() + i, DType::f64, {1}); };
    device.ops().sum_squares({good, sum(0)});
    device.ops().clip_factor({sums.view, 1, scale, norm});
    EXPECT_FLOAT_EQ(norm.values()[0], 5);
    EXPECT_FLOAT_EQ(scale.values()[0], 0.2F);
    device.ops().sum_squares({poisoned, sum(2)});
    device.ops().clip_factor({sums.view, 1, scale, norm});
    EXPECT_FLOAT_EQ(norm.values()[0], 5);
    EXPECT_EQ(scale.values()[0], 0);
  }
  const Shape shape = {1000};
  AdamW a;
  const Owned gradient(device, DType::f32, shape, std::vector<float>(1000, infinity));
  const Owned state = random(device, DType::f32, shape, 7);
  const Owned parameter = random(device, DType::bf16, shape, 8);
  const std::vector<float> before = state.values();
  const std::vector<float> weights = parameter.values();
  a.gradient = gradient;
  a.gradient_scale = scale;
  a.exp_avg = state;
  a.exp_avg_sq = state;
  a.master = state;
  a.parameter = parameter;
  a.decayed = {{0, 500}};
  a.lr = 1;
  a.weight_decay = 1;
  device.ops().adamw(a);
  EXPECT_EQ(state.values(), before);
  EXPECT_EQ(parameter.values(), weights);
}

}  // namespace
}  // namespace wan::test
