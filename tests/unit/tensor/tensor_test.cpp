#include "tensor/tensor.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "tensor/arena.hpp"

namespace wan {
namespace {

TEST(shape, overflow_and_nonsense_are_refused) {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW((void)Shape({huge, 2}).elements(), Error);
  EXPECT_THROW(Shape({-1}), Error);
  EXPECT_THROW(Shape({1, 1, 1, 1, 1, 1, 1}), Error);
  EXPECT_EQ(Shape({}).elements(), 1);
  EXPECT_EQ(Shape({2, 0, 3}).elements(), 0);
}

TEST(tensor, bands_of_rows_and_columns_see_the_same_memory) {
  std::vector<float> data(12);
  std::iota(data.begin(), data.end(), 0.0F);
  const Tensor matrix(data.data(), DType::f32, {3, 4});
  const Tensor band = matrix.col_range(1, 3);
  EXPECT_EQ(band.row_range(2, 3).as<float>()[1], 10.0F);
  EXPECT_FALSE(band.dense());
  EXPECT_THROW((void)band.reshaped({6}), InternalError);
  EXPECT_THROW((void)matrix.row_range(2, 4), InternalError);
  EXPECT_EQ(matrix.reshaped({2, 6}).row_range(1, 2).as<float>()[0], 6.0F);
}

TEST(arena, measures_what_the_real_one_needs) {
  const auto walk = [](Arena& arena) {
    const Tensor kept = arena.allocate(DType::f32, {100});
    for (int i = 0; i < 3; ++i) {
      const Arena::Scope scope(arena);
      (void)arena.allocate(DType::bf16, {1000 + i});
    }
    return kept;
  };
  Arena plan;
  (void)walk(plan);
  EXPECT_EQ(plan.used(), 512);
  EXPECT_EQ(plan.peak(), 512 + 2048);
  alignas(256) static char block[512 + 2048];
  Arena exact(block, plan.peak());
  EXPECT_EQ(walk(exact).data, block);
  Arena small(block, plan.peak() - 1);
  EXPECT_THROW((void)walk(small), InternalError);
}

}  // namespace
}  // namespace wan
