#include "op_case.hpp"

namespace wan::test {
namespace {

TEST(Elementwise, CastEqualsReference) {
  compare_with_reference(20, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 9000);
    const Owned x = c.tensor({n});
    const Owned wide = c.fp32({n});
    const Owned narrow = random(test_device(), DType::bf16, {n}, 3);
    ops.cast({x, wide});
    ops.cast({x, narrow});
    return std::vector<Output>{output("wide", wide), output("narrow", narrow)};
  });
}

TEST(Elementwise, CastRoundsToNearestEvenAndKeepsInfinityAndNan) {
  const std::vector<float> values = {1.00390625F, 1.01171875F, -65504.0F, 3.4e38F,
                                     INFINITY,    -INFINITY,   NAN,       1e-40F};
  const Owned x(test_device(), DType::f32, {8}, values);
  const Owned y = zeros(test_device(), DType::bf16, {8});
  test_device().ops().cast({x, y});
  const std::vector<float> found = y.values();
  EXPECT_EQ(found[0], 1.0F);
  EXPECT_EQ(found[1], 1.015625F);
  EXPECT_EQ(found[2], -65536.0F);
  EXPECT_EQ(found[3], INFINITY);
  EXPECT_EQ(found[4], INFINITY);
  EXPECT_EQ(found[5], -INFINITY);
  EXPECT_TRUE(std::isnan(found[6]));
  EXPECT_EQ(found[7], 0x1p-133F) << "subnormals are kept; the nearest to 1e-40";
}

TEST(Elementwise, AxpbyEqualsReferenceAndIgnoresGarbageWhenBIsZero) {
  compare_with_reference(20, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 9000);
    const Owned x = c.tensor({n});
    const Owned y = c.coin() ? c.fp32({n}) : c.tensor({n});
    const Owned garbage(test_device(), c.storage(), {n},
                        std::vector<float>(static_cast<std::size_t>(n), NAN));
    ops.axpby({0.7F, x, -1.3F, y});
    ops.axpby({0.7F, x, 0, garbage});
    return std::vector<Output>{output("y", y), output("overwritten", garbage)};
  });
}

TEST(Elementwise, ActivationsEqualReference) {
  compare_with_reference(30, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 30), m = c.columns(1, 100);
    const Activation all[] = {Activation::none, Activation::gelu_tanh, Activation::silu};
    const Activation activation = all[c.size(0, 2)];
    const Owned x = c.band({n, m}, 4);
    const Owned y = c.band({n, m});
    const Owned dy = c.band({n, m});
    const Owned dx = c.band({n, m});
    ops.activation_forward({activation, x, y});
    ops.activation_backward({activation, dy, x, dx});
    ops.activation_backward({activation, dy, x, dy});
    return std::vector<Output>{output("y", y), gradient("dx", dx), gradient("in place", dy)};
  });
}

/// The tails, where x e^-x style formulas overflow or lose everything.
TEST(Elementwise, ActivationsAreRightFarFromZero) {
  const std::vector<float> values = {-1000, -90, -20, -9, -5, -1e-3F, 0, 1e-3F, 5, 9, 20, 90, 1000};
  const auto n = static_cast<std::int64_t>(values.size());
  const Owned x(test_device(), DType::f32, {n}, values);
  const Owned one(test_device(), DType::f32, {n}, std::vector<float>(values.size(), 1));
  for (const Activation activation : {Activation::gelu_tanh, Activation::silu}) {
    const auto run = [&](Ops& ops) {
      const Owned y = zeros(test_device(), DType::f32, {n});
      const Owned dx = zeros(test_device(), DType::f32, {n});
      ops.activation_forward({activation, x, y});
      ops.activation_backward({activation, one, x, dx});
      return std::pair{y.values(), dx.values()};
    };
    const auto [y, dx] = run(test_device().ops());
    const auto [expected_y, expected_dx] = run(reference_ops());
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(y[i], expected_y[i], 1e-6 * std::abs(static_cast<double>(expected_y[i])) + 1e-7)
          << values[i];
      EXPECT_NEAR(dx[i], expected_dx[i], 2e-6) << values[i];
    }
  }
}

TEST(Elementwise, RowsEqualReference) {
  compare_with_reference(20, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(0, 700), m = c.size(1, 150);
    const Owned rows = c.fp32_band({n, m});
    const Owned vector = c.tensor({m});
    const Owned out = c.fp32_band({n, m});
    const Owned x = c.band({n, m});
    const Owned sum = c.fp32({m});
    ops.add_row_vector({rows, vector, out});
    ops.sum_rows({x, sum});
    return std::vector<Output>{output("out", out), gradient("sum", sum)};
  });
}

/// Rows as wide as the models', and so many that a GPU sums them in several chunks.
TEST(Elementwise, SumsOfManyRowsEqualReference) {
  for (const std::int64_t m : {24, 1536, 5120}) {
    for (const std::int64_t n : {1, 7, 3001}) {
      compare_with_reference(2, [&](Case& c, Ops& ops) {
        const Owned x = c.tensor({n, m});
        const Owned sum = c.fp32({m});
        ops.sum_rows({x, sum});
        return std::vector<Output>{gradient("sum", sum)};
      });
    }
  }
}

TEST(Elementwise, TimestepEmbeddingEqualsReference) {
  compare_with_reference(10, [](Case& c, Ops& ops) {
    const std::int64_t n = c.size(1, 9);
    const Owned t = c.fp32({n}, 200, 500);
    const Owned out = c.fp32({n, 2 * c.size(1, 130)});
    ops.timestep_embedding({t, out});
    return std::vector<Output>{output("out", out)};
  });
}

}  // namespace
}  // namespace wan::test
