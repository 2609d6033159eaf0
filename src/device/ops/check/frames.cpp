#include "base/text.hpp"
#include "device/ops/check/check_frames.hpp"

namespace wan {
namespace {

void expect_shape(const Expect& expect, const char* name, const Tensor& tensor, const Shape& shape) {
  expect.given(name, tensor);
  if (tensor.shape != shape || !tensor.dense())
    expect.fail(name, tensor.shape.text(), cat("dense ", shape.text()));
}

bool valid(const FrameConvGeometry& g) {
  const bool kernel = (g.frames == 1 || g.frames == 3) && (g.size == 1 || g.size == 3);
  const bool scale = g.scale == FrameScale::same || g.size == 3;
  const bool halves = !g.interleave || g.outputs % 2 == 0;
  return g.inputs > 0 && g.outputs > 0 && kernel && scale && halves &&
         (g.frame_stride == 1 || g.frame_stride == 2);
}

/// One row of a plane, or one pixel, is a row of the tensor.
std::int64_t channels(const Tensor& tensor, FrameLayout layout) {
  return layout == FrameLayout::pixels ? tensor.cols() : tensor.rows();
}

}  // namespace

void check(const FrameConvGeometry& geometry, DType storage) {
  const Expect expect("frame_conv prepare", FloatStorage::fp32_bf16);
  expect.rule(valid(geometry), "geometry", "another",
              "kernels 1 and 3, strides 1 and 2, halves of an even O");
  expect.storage("storage", Tensor(nullptr, storage, {}));
}

void check(const FrameConv& a, FloatStorage storage) {
  const Expect expect("frame_conv", storage);
  expect.rule(a.weight != nullptr, "weight", "none", "one");
  const FrameConvGeometry& geometry = a.weight->geometry();
  expect.given("x", a.x);
  expect.equal("rank of x", a.x.shape.rank(), 4);
  expect_shape(expect, "x", a.x, {a.x.shape[0], a.x.shape[1], a.x.shape[2], geometry.inputs});
  expect.dtype("x", a.x, a.weight->storage());
  expect.at_least("front", a.front, 0);
  expect.at_least("frames of x and front", a.front + a.x.shape[0], geometry.frames);
  expect.rule(!a.accumulate || geometry.scale != FrameScale::twice, "accumulate", "with enlarging",
              "without");
  if (geometry.scale == FrameScale::half) {
    expect.rule(a.x.shape[1] % 2 == 0 && a.x.shape[2] % 2 == 0, "x", "an odd height or width", "even ones");
  }
  expect_shape(expect, "y", a.y, frame_conv_output(geometry, a.x.shape, a.front));
  expect.fp32_or_same("y", a.y, "x", a.x);
}

void check(const FrameNorm& a, FloatStorage storage) {
  const Expect expect("frame_norm", storage);
  expect.given("x", a.x);
  expect.storage("x", a.x);
  expect.flat("x", a.x, a.x.elements());
  expect.flat("gamma", a.gamma, a.x.cols());
  expect.fp32("gamma", a.gamma);
  expect_shape(expect, "y", a.y, a.x.shape);
  expect.same("y", a.y, "x", a.x);
}

void check(const FrameMap& a, FloatStorage storage) {
  const Expect expect("frame_map", storage);
  expect.given("x", a.x);
  expect.given("y", a.y);
  if (a.x.dtype != DType::u8) expect.storage("x", a.x);
  expect.storage("y", a.y);
  expect.equal("elements of y", a.y.elements(), a.x.elements());
  const std::int64_t count = channels(a.x, a.from);
  expect.equal("channels of y", channels(a.y, a.to), count);
  expect.rule(a.from == FrameLayout::planes || a.x.dense(), "x", "a band of columns", "dense pixels");
  expect.rule(a.to == FrameLayout::planes || a.y.dense(), "y", "a band of columns", "dense pixels");
  expect.equal("scales and shifts", static_cast<std::int64_t>(a.scale.size()),
               static_cast<std::int64_t>(a.shift.size()));
  if (a.scale.empty()) return;
  expect.equal("scales", static_cast<std::int64_t>(a.scale.size()), count);
  expect.at_most("channels with a scale", count, FrameMap::most_scaled_channels);
}

}  // namespace wan
