#include "base/error.hpp"
#include "device/frame_ops.hpp"
#include "device/ops/ref/ref_frame_ops.hpp"
#include "op_case.hpp"

namespace wan::test {
namespace {

/// As compare_with_reference, for FrameOps.
void compare(int cases, const std::function<std::vector<Output>(Case&, FrameOps&)>& body) {
  RefFrameOps reference;
  compare_bodies<FrameOps>(cases, reference, test_device().frame_ops(), body);
}

FrameConvGeometry some_geometry(Case& c) {
  FrameConvGeometry g;
  g.inputs = c.size(1, 40);
  g.outputs = c.size(1, 40);
  g.frames = c.coin() ? 3 : 1;
  g.size = c.coin() ? 3 : 1;
  g.frame_stride = c.coin() ? 1 : 2;
  return g;
}

/// What bf16 rounds twice: a sum of folded weights or an early bias, and then the result.
bool rounded_twice(const FrameConvGeometry& g) {
  return g.interleave || g.scale == FrameScale::twice;
}

/// Runs one convolution of `geometry` on random values of frames [T, H, W, I].
std::vector<Output> convolve(Case& c, FrameOps& ops, const FrameConvGeometry& g, std::int64_t front,
                             const Shape& frames, bool may_accumulate) {
  const std::int64_t fan = g.inputs * g.frames * g.size * g.size;
  const Owned weight = c.fp32({g.outputs * fan}, 1 / std::sqrt(static_cast<float>(fan)));
  const Owned bias = c.fp32({g.outputs});
  const bool room = c.coin();
  Shape stored = frames;
  if (room) stored.resize_axis(0, front + frames[0]);
  const Owned all = c.tensor(stored);
  const std::int64_t before = all.view().rows() - frames.elements() / frames.back();
  const Tensor x = all.view().row_range(before, all.view().rows()).reshaped(frames);
  const Shape shape = frame_conv_output(g, frames, front);
  const Owned y = c.coin() ? c.fp32(shape) : c.tensor(shape);
  const std::unique_ptr<FrameConvWeight> prepared =
      ops.prepare(g, c.storage(), weight.values().data(), bias.values().data());
  const bool accumulate = c.coin() && may_accumulate;
  const FrameConv conv{x, prepared.get(), front, accumulate, y, room};
  ops.conv(conv);
  const Kind kind = rounded_twice(g) ? Kind::gradient : Kind::forward;
  std::vector<Output> out = {{"y", kind, y.values()}};
  // The kernel's order was settled by the first call; a second one must not depend on that.
  ops.conv(conv);
  out.push_back({"y again", kind, y.values()});
  return out;
}

/// As above, on frames of random size.
std::vector<Output> convolve(Case& c, FrameOps& ops, const FrameConvGeometry& g, bool may_accumulate) {
  const bool halved = g.scale == FrameScale::half;
  const std::int64_t height = halved ? 2 * c.size(1, 6) : c.size(1, 13);
  const std::int64_t width = halved ? 2 * c.size(1, 9) : c.size(1, 19);
  const std::int64_t front = c.size(0, g.frames - 1);
  const std::int64_t frames = c.size(g.frames - front, 6);
  return convolve(c, ops, g, front, {frames, height, width, g.inputs}, may_accumulate);
}

TEST(FrameConv, PlainEqualsReference) {
  compare(60, [](Case& c, FrameOps& ops) { return convolve(c, ops, some_geometry(c), true); });
}

TEST(FrameConv, HalvingEqualsReference) {
  compare(20, [](Case& c, FrameOps& ops) {
    FrameConvGeometry g = some_geometry(c);
    g.size = 3;
    g.scale = FrameScale::half;
    return convolve(c, ops, g, true);
  });
}

TEST(FrameConv, EnlargingEqualsReference) {
  compare(30, [](Case& c, FrameOps& ops) {
    FrameConvGeometry g = some_geometry(c);
    g.size = 3;
    g.frames = g.frame_stride = 1;
    g.scale = FrameScale::twice;
    return convolve(c, ops, g, false);
  });
}

TEST(FrameConv, InterleavingEqualsReference) {
  compare(30, [](Case& c, FrameOps& ops) {
    FrameConvGeometry g = some_geometry(c);
    g.outputs *= 2;
    g.size = 1;
    g.frames = 3;
    g.interleave = true;
    return convolve(c, ops, g, true);
  });
}

/// Of a size that bodies leave to their fastest kernels: whole groups of channels and odd ones, outputs that
/// fill no tile, and every way that the result may have to be moved.
TEST(FrameConv, LargeEqualsReference) {
  const auto geometry = [](std::int64_t inputs, std::int64_t outputs, FrameScale scale) {
    FrameConvGeometry g;
    g.inputs = inputs;
    g.outputs = outputs;
    g.frames = g.size = 3;
    g.scale = scale;
    return g;
  };
  std::vector<FrameConvGeometry> geometries = {
      geometry(32, 48, FrameScale::same),  geometry(3, 136, FrameScale::same),
      geometry(96, 3, FrameScale::same),   geometry(64, 144, FrameScale::half),
      geometry(64, 40, FrameScale::twice), geometry(192, 128, FrameScale::same)};
  geometries[4].frames = 1;
  geometries[5].size = 1;
  geometries[5].interleave = true;
  for (const FrameConvGeometry& g : geometries) {
    compare(1, [&](Case& c, FrameOps& ops) {
      const std::int64_t taps = g.frames * g.size * g.size;
      const std::int64_t pixels = (std::int64_t{1} << 25) / (g.inputs * g.outputs * taps) + 1;
      const std::int64_t shrunk = g.scale == FrameScale::half ? 4 : 1;
      const std::int64_t height = 2 * c.size(4, 7);
      const std::int64_t frames = 2, width = 2 * (pixels * shrunk / (frames * height) / 2 + 1);
      return convolve(c, ops, g, g.frames - 1, {frames, height, width, g.inputs},
                      g.scale != FrameScale::twice);
    });
  }
}

TEST(FrameNorm, EqualsReference) {
  compare(40, [](Case& c, FrameOps& ops) {
    const Shape shape{c.size(0, 3), c.size(1, 9), c.size(1, 9),
                      c.coin() ? 16 << c.size(0, 2) : c.size(1, 130)};
    const Owned x = c.tensor(shape, c.coin() ? 1.0F : 1e-6F);
    const Owned y = c.tensor(shape);
    const Owned gamma = c.fp32({shape[3]}, 0.3F, 1);
    const bool in_place = c.coin();
    const Owned& out = in_place ? x : y;
    ops.norm({x, gamma, c.coin(), out});
    return std::vector<Output>{output("y", out)};
  });
}

/// A pixel of zeros stays zero; a pixel too small for its norm to be told from zero is scaled by the clamped
/// norm.
TEST(FrameNorm, ZeroPixelsStayFinite) {
  Device& device = test_device();
  const Owned x(device, DType::f32, {2, 1, 1, 4}, {0, 0, 0, 0, 1e-20F, 0, 0, 0});
  const Owned gamma(device, DType::f32, {4}, {1, 1, 1, 1});
  const Owned y = zeros(device, DType::f32, {2, 1, 1, 4});
  device.frame_ops().norm({x, gamma, false, y});
  EXPECT_EQ(y.values()[0], 0.0F);
  EXPECT_NEAR(y.values()[4], 2e-8F, 1e-14F);
}

TEST(FrameMap, EqualsReference) {
  compare(60, [](Case& c, FrameOps& ops) {
    const std::int64_t channels = c.size(1, 20), pixels = c.size(0, 200);
    const auto layout = [&] { return c.coin() ? FrameLayout::pixels : FrameLayout::planes; };
    FrameMap a;
    a.from = layout();
    a.to = layout();
    const bool bytes = c.coin();
    std::vector<std::uint8_t> colours(static_cast<std::size_t>(channels * pixels));
    for (std::uint8_t& colour : colours) colour = static_cast<std::uint8_t>(c.size(0, 255));
    const Shape planes{channels, pixels}, packed{1, 1, pixels, channels};
    const Owned x = a.from == FrameLayout::planes ? c.band(planes) : c.tensor(packed);
    const Owned y = a.to == FrameLayout::planes ? c.band(planes) : c.tensor(packed);
    const DeviceTensor coloured(test_device(), DType::u8, a.from == FrameLayout::planes ? planes : packed);
    test_device().copy(coloured.view.data, colours.data(), coloured.view.bytes());
    a.x = bytes ? coloured.view : x.view();
    a.y = y;
    if (c.coin()) {
      a.scale = c.fp32({channels}).values();
      a.shift = c.fp32({channels}).values();
    }
    if (c.coin()) {
      a.lowest = -0.5F;
      a.highest = 0.75F;
    }
    ops.map(a);
    return std::vector<Output>{output("y", y)};
  });
}

TEST(FrameOps, BrokenContractsAreNamed) {
  Device& device = test_device();
  FrameOps& ops = device.frame_ops();
  FrameConvGeometry g;
  g.inputs = 2;
  g.outputs = 3;
  const std::vector<float> numbers(600);
  const std::unique_ptr<FrameConvWeight> weight = ops.prepare(g, DType::f32, numbers.data(), numbers.data());
  const Owned x = zeros(device, DType::f32, {2, 4, 4, 2});
  const Owned y = zeros(device, DType::f32, {2, 4, 4, 3});
  const Owned small = zeros(device, DType::f32, {1, 4, 4, 3});
  const Owned half = zeros(device, DType::bf16, {2, 4, 4, 2});
  EXPECT_NO_THROW(ops.conv({x, weight.get(), 0, false, y}));
  EXPECT_THROW(ops.conv({x, nullptr, 0, false, y}), InternalError);
  EXPECT_THROW(ops.conv({y, weight.get(), 0, false, y}), InternalError);
  EXPECT_THROW(ops.conv({half, weight.get(), 0, false, y}), InternalError);
  EXPECT_THROW(ops.conv({x, weight.get(), 0, false, small}), InternalError);
  EXPECT_THROW(ops.conv({x, weight.get(), -1, false, y}), InternalError);
  EXPECT_THROW(ops.norm({x, y, false, x}), InternalError);
  for (const std::int64_t wrong : {0, 2, 5}) {
    FrameConvGeometry bad = g;
    bad.frames = wrong;
    EXPECT_THROW((void)ops.prepare(bad, DType::f32, numbers.data(), numbers.data()), InternalError);
    bad = g;
    bad.size = wrong;
    EXPECT_THROW((void)ops.prepare(bad, DType::f32, numbers.data(), numbers.data()), InternalError);
  }
  EXPECT_THROW((void)ops.prepare(g, DType::i32, numbers.data(), numbers.data()), InternalError);
}

}  // namespace
}  // namespace wan::test
