#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"
#include "device/ops.hpp"
#include "support/tensors.hpp"

// Arguments that break a contract are refused by name before anything is computed. All bodies share the
// checks.
namespace wan::test {
namespace {

Device& device() {
  return test_device();
}

Owned fp32(const Shape& shape) {
  return random(device(), DType::f32, shape, 1);
}

/// What the op says of its arguments; "" if it accepts them.
std::string message_of(const std::function<void(Ops&)>& call) {
  try {
    call(device().ops());
  } catch (const InternalError& error) {
    return error.what();
  }
  return "";
}

TEST(Checks, LinearNamesOpArgumentFoundAndAllowed) {
  const Owned x = fp32({4, 3}), w = fp32({5, 3}), y = fp32({4, 5}), wrong = fp32({5, 2});
  const Owned narrow = random(device(), DType::bf16, {5, 3}, 2);
  LinearForward good;
  good.x = x;
  good.w = w;
  good.y = y;
  EXPECT_EQ(message_of([&](Ops& ops) { ops.linear_forward(good); }), "");
  LinearForward bad = good;
  bad.w = wrong;
  EXPECT_EQ(message_of([&](Ops& ops) { ops.linear_forward(bad); }),
            "[linear_forward] w: found [5, 2], allowed [5, 3]");
  bad = good;
  bad.w = narrow;
  EXPECT_EQ(message_of([&](Ops& ops) { ops.linear_forward(bad); }),
            "[linear_forward] w: found bf16, allowed fp32 as x");
  bad = good;
  bad.y = {};
  EXPECT_EQ(message_of([&](Ops& ops) { ops.linear_forward(bad); }),
            "[linear_forward] y: found no tensor, allowed one");
  EXPECT_EQ(message_of([&](Ops& ops) {
              ops.linear_backward_data({y, w, Activation::silu, {}, false, x});
            }),
            "[linear_backward_data] pre: found no tensor, allowed one");
}

TEST(Checks, NormalisationWantsOneGroupOfParametersAndInt32Rows) {
  const Owned x = fp32({4, 6}), y = fp32({4, 6}), rows = fp32({2, 6}), vector = fp32({6}), index = fp32({4});
  LayerNormForward a;
  a.x = x;
  a.y = y;
  EXPECT_EQ(message_of([&](Ops& ops) { ops.layer_norm_forward(a); }),
            "[layer_norm_forward] scale, weight: found neither, allowed one of them");
  a.scale = rows;
  a.shift = rows;
  a.row_index = index;
  EXPECT_EQ(message_of([&](Ops& ops) { ops.layer_norm_forward(a); }),
            "[layer_norm_forward] row_index: found fp32, allowed int32");
  a.weight = vector;
  EXPECT_EQ(message_of([&](Ops& ops) { ops.layer_norm_forward(a); }),
            "[layer_norm_forward] scale, weight: found both, allowed one of them");
  EXPECT_EQ(message_of([&](Ops& ops) {
              ops.rms_norm_rope_forward({x, vector, 1e-6F, 12, 0, {}, {}, y, {}});
            }),
            "[rms_norm_rope_forward] width without reduced sums: found 12, allowed 6");
}

TEST(Checks, AttentionSegments) {
  const Owned q = fp32({5, 8}), k = fp32({6, 8}), o = fp32({5, 8});
  const auto with = [&](const AttentionSegments& segments, std::int64_t head_dim) {
    return message_of([&](Ops& ops) { ops.attention_forward({q, k, k, &segments, head_dim, 1, o, {}}); });
  };
  EXPECT_EQ(with({{0, 2, 5}, {0, 6, 6}, {}}, 4), "");
  EXPECT_EQ(with({{0, 2, 5}, {0, 6, 6}, {}}, 3),
            "[attention_forward] columns % head_dim: found 2, allowed 0");
  EXPECT_EQ(with({{0, 6}, {0, 6}, {}}, 4),
            "[attention_forward] segments.query: found end at 6, allowed at most 5 rows");
  EXPECT_EQ(with({{0, 3, 2}, {0, 1, 6}, {}}, 4),
            "[attention_forward] segments.query: found 2 after 3, allowed offsets that never decrease");
  EXPECT_EQ(with({{0, 5}, {0, 1, 6}, {}}, 4), "[attention_forward] segments.key size: found 2, allowed 1");
  EXPECT_EQ(with({{0, 5}, {0, 6}, {0}}, 4),
            "[attention_forward] last_key_count: found 0, allowed at least 1");
  EXPECT_EQ(message_of([&](Ops& ops) {
              ops.attention_forward({q, k, k, nullptr, 4, 1, o, {}});
            }),
            "[attention_forward] segments: found none, allowed one list");
}

TEST(Checks, FlatOpsWantDenseMemoryAndFittingOffsets) {
  const Owned wide = fp32({4, 6}), flat = fp32({12}), latents = fp32({16});
  const Tensor band = wide.view().col_range(0, 3);
  EXPECT_EQ(message_of([&](Ops& ops) {
              ops.cast({band, flat});
            }),
            "[cast] x: found a band of columns, allowed dense memory");
  const PatchLayout layout{{0, 3}, {{1, 1, 2}}};
  EXPECT_EQ(message_of([&](Ops& ops) {
              ops.patchify({latents, &layout, PatchOrder::channel_first, fp32({3, 8})});
            }),
            "[patchify] tokens of a sample: found 3, allowed 2");
  FillNormal normal;
  normal.offset = {0, 13};
  normal.keys = {random_key(1, 2, 3, Purpose::noise)};
  normal.out = flat;
  EXPECT_EQ(message_of([&](Ops& ops) { ops.fill_normal(normal); }),
            "[fill_normal] out: found [12], allowed 13 elements");
  AdamW adamw;
  adamw.gradient = adamw.exp_avg = adamw.exp_avg_sq = adamw.master = adamw.parameter = flat;
  const Owned one = fp32({1});
  adamw.gradient_scale = one;
  adamw.decayed = {{4, 8}, {7, 12}};
  EXPECT_EQ(message_of([&](Ops& ops) { ops.adamw(adamw); }),
            "[adamw] decayed: found [7, 12), allowed ascending ranges within 12 elements");
}

}  // namespace
}  // namespace wan::test
