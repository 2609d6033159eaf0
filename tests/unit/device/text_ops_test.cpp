#include "device/text_ops.hpp"
#include "base/error.hpp"
#include "device/ops/ref/ref_text_ops.hpp"
#include "op_case.hpp"

namespace wan::test {
namespace {

/// As compare_with_reference, for TextOps.
void compare(int cases, const std::function<std::vector<Output>(Case&, TextOps&)>& body) {
  RefTextOps reference;
  compare_bodies<TextOps>(cases, reference, test_device().text_ops(), body);
}

TEST(GatherRows, EqualsReference) {
  compare(20, [](Case& c, TextOps& ops) {
    const std::int64_t rows = c.size(1, 50), columns = c.size(1, 70), count = c.size(0, 40);
    const Owned table = c.tensor({rows, columns});
    std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
    for (std::int32_t& id : ids) id = static_cast<std::int32_t>(c.size(0, rows - 1));
    const Owned id = Owned::integers(test_device(), {count}, ids);
    const Owned y = c.band({count, columns});
    ops.gather_rows({table, id, y});
    return std::vector<Output>{output("y", y)};
  });
}

TEST(GatedGelu, EqualsReference) {
  compare(30, [](Case& c, TextOps& ops) {
    // Enough numbers that a single one near a tie does not decide.
    const Shape shape{c.size(8, 30), c.size(8, 90)};
    const Owned gate = c.band(shape, 3);
    const Owned value = c.band(shape);
    const Owned y = c.band(shape);
    const Owned& out = c.coin() ? gate : y;
    ops.gated_gelu({gate, value, out});
    return std::vector<Output>{output("y", out)};
  });
}

/// As UMT5 calls it: both inputs are halves of one matrix, of which a GPU takes several columns at once.
TEST(GatedGelu, EqualsReferenceOnHalvesOfAMatrix) {
  compare(30, [](Case& c, TextOps& ops) {
    const std::int64_t rows = c.size(2, 30), columns = 8 * c.size(1, 40);
    const Owned both = c.tensor({rows, 2 * columns});
    const Owned y = c.tensor({rows, columns});
    ops.gated_gelu({both.view().col_range(0, columns), both.view().col_range(columns, 2 * columns), y});
    return std::vector<Output>{output("y", y)};
  });
}

TEST(BiasedAttention, EqualsReference) {
  compare(30, [](Case& c, TextOps& ops) {
    AttentionSegments segments;
    segments.query.push_back(0);
    for (std::int64_t s = c.size(1, 4); s > 0; --s) {
      segments.query.push_back(segments.query.back() + (c.coin() ? c.size(0, 9) : c.size(1, 300)));
    }
    segments.key = segments.query;
    const std::int64_t tokens = segments.query.back(), heads = c.size(1, 3);
    BiasedAttention a;
    a.head_dim = c.size(1, 20);
    a.buckets.count = 4 * c.size(1, 10);
    a.buckets.max_distance = a.buckets.count / 4 + c.size(1, 200);
    const Shape shape{tokens, heads * a.head_dim};
    const float deviation = 1 / std::sqrt(std::sqrt(static_cast<float>(a.head_dim)));
    const Owned q = c.band(shape, deviation), k = c.band(shape, deviation), v = c.band(shape);
    const Owned bias = c.coin() ? c.tensor({a.buckets.count, heads}) : c.fp32({a.buckets.count, heads});
    const Owned o = c.band(shape);
    a.q = q;
    a.k = k;
    a.v = v;
    a.bias = bias;
    a.o = o;
    a.segments = &segments;
    ops.biased_attention(a);
    return std::vector<Output>{output("o", o)};
  });
}

/// Buckets never fall with distance, cover all numbers, and keep the two directions apart.
TEST(RelativeBuckets, AreOrdered) {
  for (const RelativeBuckets buckets :
       {RelativeBuckets{32, 128}, RelativeBuckets{4, 2}, RelativeBuckets{64, 1000}}) {
    const std::int64_t half = buckets.count / 2;
    EXPECT_EQ(buckets.bucket(0), 0);
    for (std::int64_t distance = 1; distance < 3 * buckets.max_distance; ++distance) {
      EXPECT_EQ(buckets.bucket(distance), buckets.bucket(-distance) + half);
      const std::int64_t step = buckets.bucket(-distance) - buckets.bucket(1 - distance);
      EXPECT_GE(step, 0) << distance;
      EXPECT_LT(buckets.bucket(-distance), half);
    }
    EXPECT_EQ(buckets.bucket(-buckets.max_distance), half - 1);
  }
}

TEST(TextOps, BrokenContractsAreNamed) {
  Device& device = test_device();
  const Owned x = zeros(device, DType::f32, {3, 4});
  const Owned bias = zeros(device, DType::f32, {32, 2});
  AttentionSegments segments{{0, 3}, {0, 3}, {}};
  BiasedAttention a;
  a.q = a.k = a.v = a.o = x.view();
  a.head_dim = 2;
  a.bias = bias;
  a.segments = &segments;
  EXPECT_NO_THROW(device.text_ops().biased_attention(a));
  segments.key = {0, 2};
  EXPECT_THROW(device.text_ops().biased_attention(a), InternalError);
  segments.key = segments.query = {0, 2};
  EXPECT_THROW(device.text_ops().biased_attention(a), InternalError);
  segments.key = segments.query = {0, 3};
  a.head_dim = 3;
  EXPECT_THROW(device.text_ops().biased_attention(a), InternalError);
  EXPECT_THROW(device.text_ops().gated_gelu({x, bias, x}), InternalError);
}

}  // namespace
}  // namespace wan::test
