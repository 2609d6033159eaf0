#include "model/vae/layers.hpp"

#include <cmath>
#include <vector>

namespace wan {
namespace {

constexpr std::int64_t causal_frames = 2;

std::vector<float> read(const Parameters::Source* source, const std::string& name, const Shape& shape) {
  if (source == nullptr) return {};
  ParameterSpec spec;
  spec.name = name;
  spec.shape = shape;
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  (*source)(spec, values.data());
  return values;
}

FrameConvGeometry cube(std::int64_t inputs, std::int64_t outputs) {
  FrameConvGeometry geometry = pointwise_conv(inputs, outputs);
  geometry.frames = geometry.size = 3;
  return geometry;
}

}  // namespace

FrameConvGeometry pointwise_conv(std::int64_t inputs, std::int64_t outputs) {
  FrameConvGeometry geometry;
  geometry.inputs = inputs;
  geometry.outputs = outputs;
  return geometry;
}

std::unique_ptr<FrameConvWeight> VaeBuilder::conv(const std::string& name, const FrameConvGeometry& geometry,
                                                  Axes axes) const {
  const FrameConvGeometry& g = geometry;
  const Shape shape = axes == Axes::time ? Shape{g.outputs, g.inputs, g.frames, g.size, g.size}
                                         : Shape{g.outputs, g.inputs, g.size, g.size};
  const std::vector<float> weight = read(source, name + ".weight", shape);
  const std::vector<float> bias = read(source, name + ".bias", {g.outputs});
  return frames.prepare(geometry, storage, weight.data(), bias.data());
}

DeviceTensor VaeBuilder::gamma(const std::string& name, const Shape& shape) const {
  const std::vector<float> values = read(source, name + ".gamma", shape);
  if (device == nullptr) {
    DeviceTensor planned;
    planned.view = Arena().allocate(DType::f32, {shape[0]});
    return planned;
  }
  DeviceTensor out(*device, DType::f32, {shape[0]});
  device->copy(out.view.data, values.data(), out.view.bytes());
  device->synchronize();
  return out;
}

CausalConv::CausalConv(const VaeBuilder& builder, const std::string& name, std::int64_t inputs,
                       std::int64_t outputs)
    : weight_(builder.conv(name, cube(inputs, outputs))) {}

CausalInput CausalConv::input(FrameWalk& walk, const Shape& shape) const {
  return CausalInput(walk, weight_->storage(), shape, causal_frames);
}

void CausalConv::forward(FrameWalk& walk, const CausalInput& input, const Tensor& y, bool accumulate) const {
  walk.frames().conv(input.into(*weight_, accumulate, y));
  input.keep(walk);
}

NormedConv::NormedConv(const VaeBuilder& builder, const std::string& norm, const std::string& conv,
                       std::int64_t inputs, std::int64_t outputs)
    : gamma_(builder.gamma(norm, {inputs, 1, 1, 1})), conv_(builder, conv, inputs, outputs) {}

void NormedConv::forward(FrameWalk& walk, const Tensor& x, const Tensor& y, bool accumulate) const {
  const Arena::Scope scope(walk.scratch());
  const CausalInput input = conv_.input(walk, x.shape);
  walk.frames().norm({x, gamma_.view, true, input.fresh});
  conv_.forward(walk, input, y, accumulate);
}

ResidualBlock::ResidualBlock(const VaeBuilder& builder, const std::string& name, std::int64_t inputs,
                             std::int64_t outputs)
    : first_(builder, name + ".norm1", name + ".conv1", inputs, outputs),
      second_(builder, name + ".norm2", name + ".conv2", outputs, outputs),
      shortcut_(inputs == outputs ? nullptr
                                  : builder.conv(name + ".conv_shortcut", pointwise_conv(inputs, outputs))) {}

Tensor ResidualBlock::forward(FrameWalk& walk, const Tensor& x) const {
  const Arena::Scope scope(walk.scratch());
  const Shape shape = with_channels(x.shape, first_.outputs());
  const Tensor hidden = walk.scratch().allocate(x.dtype, shape);
  first_.forward(walk, x, hidden, false);
  const Tensor y = shortcut_ ? walk.turn(x.dtype, shape) : x;
  if (shortcut_) walk.frames().conv({x, shortcut_.get(), 0, false, y});
  second_.forward(walk, hidden, y, true);
  return y;
}

FrameAttention::FrameAttention(const VaeBuilder& builder, const std::string& name, std::int64_t channels)
    : gamma_(builder.gamma(name + ".norm", {channels, 1, 1})),
      qkv_(builder.conv(name + ".to_qkv", pointwise_conv(channels, 3 * channels),
                        VaeBuilder::Axes::per_frame)),
      projection_(
          builder.conv(name + ".proj", pointwise_conv(channels, channels), VaeBuilder::Axes::per_frame)) {}

void FrameAttention::forward(FrameWalk& walk, const Tensor& x) const {
  const Arena::Scope scope(walk.scratch());
  const std::int64_t channels = x.cols();
  const Tensor normed = walk.scratch().allocate(x.dtype, x.shape);
  const Tensor qkv = walk.scratch().allocate(x.dtype, with_channels(x.shape, 3 * channels));
  walk.frames().norm({x, gamma_.view, false, normed});
  walk.frames().conv({normed, qkv_.get(), 0, false, qkv});

  AttentionSegments segments;
  for (std::int64_t frame = 0; frame <= x.shape[0]; ++frame)
    segments.query.push_back(frame * x.shape[1] * x.shape[2]);
  segments.key = segments.query;
  AttentionForward attention;
  attention.q = qkv.col_range(0, channels);
  attention.k = qkv.col_range(channels, 2 * channels);
  attention.v = qkv.col_range(2 * channels, 3 * channels);
  attention.segments = &segments;
  attention.head_dim = channels;
  attention.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(channels)));
  attention.o = normed.reshaped({x.rows(), channels});
  walk.ops().attention_forward(attention);

  walk.frames().conv({normed, projection_.get(), 0, true, x});
}

MiddleBlock::MiddleBlock(const VaeBuilder& builder, const std::string& name, std::int64_t channels)
    : before_(builder, name + ".resnets.0", channels, channels),
      attention_(builder, name + ".attentions.0", channels),
      after_(builder, name + ".resnets.1", channels, channels) {}

Tensor MiddleBlock::forward(FrameWalk& walk, const Tensor& x) const {
  const Tensor inner = before_.forward(walk, x);
  attention_.forward(walk, inner);
  return after_.forward(walk, inner);
}

}  // namespace wan
