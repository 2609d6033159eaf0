#include "op_case.hpp"

namespace wan::test {
namespace {

PatchLayout some_layout(Case& c) {
  PatchLayout out;
  out.offset = {0};
  const std::int64_t samples = c.size(1, 3);
  for (std::int64_t s = 0; s < samples; ++s) {
    out.grid.push_back({c.size(1, 4), c.size(1, 5), c.size(1, 6)});
    out.offset.push_back(out.offset.back() + out.grid.back().tokens());
  }
  return out;
}

TEST(Patch, EqualsReference) {
  compare_with_reference(30, [](Case& c, Ops& ops) {
    const PatchLayout layout = some_layout(c);
    const std::int64_t channels = c.size(1, 20), tokens = layout.offset.back();
    const PatchOrder order = c.coin() ? PatchOrder::channel_first : PatchOrder::channel_last;
    const Owned latents = c.fp32({tokens * 4 * channels});
    const Owned rows = c.band({tokens + c.size(0, 9), 4 * channels});
    const Owned back = c.tensor({tokens * 4 * channels});
    ops.patchify({latents, &layout, order, rows});
    const Owned other = c.band({tokens + c.size(0, 9), 4 * channels});
    ops.unpatchify({other, &layout, order, back});
    return std::vector<Output>{output("tokens", rows), output("latents", back)};
  });
}

TEST(Patch, UnpatchifyUndoesPatchify) {
  Case c(5, DType::f32);
  for (const PatchOrder order : {PatchOrder::channel_first, PatchOrder::channel_last}) {
    const PatchLayout layout = some_layout(c);
    const std::int64_t tokens = layout.offset.back();
    const Owned latents = c.fp32({tokens * 64});
    const Owned rows = c.fp32({tokens, 64});
    const Owned back = c.fp32({tokens * 64});
    test_device().ops().patchify({latents, &layout, order, rows});
    test_device().ops().unpatchify({rows, &layout, order, back});
    EXPECT_EQ(back.values(), latents.values());
  }
}

/// By hand: one frame of 2 x 4 pixels, two channels; the second patch in both feature orders.
TEST(Patch, OrdersAreAsDocumented) {
  std::vector<float> pixels(16);
  for (std::size_t i = 0; i < 16; ++i) pixels[i] = static_cast<float>(i);
  const Owned latents(test_device(), DType::f32, {16}, pixels);
  const PatchLayout layout{{0, 2}, {{1, 1, 2}}};
  const Owned rows = zeros(test_device(), DType::f32, {2, 8});
  test_device().ops().patchify({latents, &layout, PatchOrder::channel_first, rows});
  EXPECT_EQ(rows.values(), (std::vector<float>{0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15}));
  test_device().ops().patchify({latents, &layout, PatchOrder::channel_last, rows});
  EXPECT_EQ(rows.values(), (std::vector<float>{0, 8, 1, 9, 4, 12, 5, 13, 2, 10, 3, 11, 6, 14, 7, 15}));
}

}  // namespace
}  // namespace wan::test
