#include "device/ops/frames.hpp"

namespace wan {
namespace {

std::int64_t scaled(std::int64_t extent, FrameScale scale) {
  if (scale == FrameScale::same) return extent;
  return scale == FrameScale::half ? extent / 2 : extent * 2;
}

}  // namespace

Shape frame_conv_output(const FrameConvGeometry& geometry, const Shape& x, std::int64_t front) {
  const std::int64_t frames = (front + x[0] - geometry.frames) / geometry.frame_stride + 1;
  return {geometry.interleave ? 2 * frames : frames, scaled(x[1], geometry.scale),
          scaled(x[2], geometry.scale), geometry.interleave ? geometry.outputs / 2 : geometry.outputs};
}

}  // namespace wan
