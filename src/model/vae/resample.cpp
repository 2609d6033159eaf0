#include "model/vae/resample.hpp"

namespace wan {
namespace {

FrameConvGeometry spatial(std::int64_t inputs, std::int64_t outputs, FrameScale scale) {
  FrameConvGeometry geometry;
  geometry.inputs = inputs;
  geometry.outputs = outputs;
  geometry.size = 3;
  geometry.scale = scale;
  return geometry;
}

FrameConvGeometry temporal(std::int64_t inputs, std::int64_t outputs) {
  FrameConvGeometry geometry;
  geometry.inputs = inputs;
  geometry.outputs = outputs;
  geometry.frames = 3;
  return geometry;
}

FrameConvGeometry halving(std::int64_t channels) {
  FrameConvGeometry geometry = temporal(channels, channels);
  geometry.frame_stride = 2;
  return geometry;
}

FrameConvGeometry doubling(std::int64_t channels) {
  FrameConvGeometry geometry = temporal(channels, 2 * channels);
  geometry.interleave = true;
  return geometry;
}

}  // namespace

Downsample::Downsample(const VaeBuilder& builder, const std::string& name, std::int64_t channels,
                       bool in_time)
    : spatial_(builder.conv(name + ".resample.1", spatial(channels, channels, FrameScale::half),
                            VaeBuilder::Axes::per_frame)),
      temporal_(in_time ? builder.conv(name + ".time_conv", halving(channels)) : nullptr) {}

Tensor Downsample::forward(FrameWalk& walk, const Tensor& x) const {
  const Shape halved = frame_conv_output(spatial_->geometry(), x.shape, 0);
  if (!temporal_) {
    const Tensor y = walk.turn(x.dtype, halved);
    walk.frames().conv({x, spatial_.get(), 0, false, y});
    return y;
  }
  const Arena::Scope scope(walk.scratch());
  const CausalInput input(walk, x.dtype, halved, 1);
  walk.frames().conv({x, spatial_.get(), 0, false, input.fresh});
  const std::int64_t untouched = walk.first_chunk() ? 1 : 0;
  const std::int64_t frames = untouched + (halved[0] - untouched) / 2;
  const Tensor y = walk.turn(x.dtype, with_frames(halved, frames));
  walk.copy(frame_range(y, 0, untouched), frame_range(input.fresh, 0, untouched));
  if (frames > untouched) {
    walk.frames().conv({input.whole, temporal_.get(), 0, false, frame_range(y, untouched, frames)});
  }
  input.keep(walk);
  return y;
}

Upsample::Upsample(const VaeBuilder& builder, const std::string& name, std::int64_t channels, bool in_time)
    : temporal_(in_time ? builder.conv(name + ".time_conv", doubling(channels)) : nullptr),
      spatial_(builder.conv(name + ".resample.1", spatial(channels, channels / 2, FrameScale::twice),
                            VaeBuilder::Axes::per_frame)) {}

Tensor Upsample::forward(FrameWalk& walk, const Tensor& x) const {
  const Tensor frames = temporal_ ? double_frames(walk, x) : x;
  const Tensor y = walk.turn(x.dtype, frame_conv_output(spatial_->geometry(), frames.shape, 0));
  walk.frames().conv({frames, spatial_.get(), 0, false, y});
  return y;
}

Tensor Upsample::double_frames(FrameWalk& walk, const Tensor& x) const {
  const Arena::Scope scope(walk.scratch());
  const std::int64_t untouched = walk.first_chunk() ? 1 : 0;
  const std::int64_t doubled = x.shape[0] - untouched;
  const Tensor y = walk.turn(x.dtype, with_frames(x.shape, untouched + 2 * doubled));
  walk.copy(frame_range(y, 0, untouched), frame_range(x, 0, untouched));
  const CausalInput input(walk, x.dtype, with_frames(x.shape, doubled), 2);
  walk.copy(input.fresh, frame_range(x, untouched, x.shape[0]));
  if (doubled > 0) walk.frames().conv(input.into(*temporal_, false, frame_range(y, untouched, y.shape[0])));
  input.keep(walk);
  return y;
}

}  // namespace wan
