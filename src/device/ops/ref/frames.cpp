#include <algorithm>
#include <cmath>

#include "base/bf16.hpp"
#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_frame_ops.hpp"

namespace wan {
namespace {

using ref::Dense;

/// The weight as given, rounded to storage.
class RefFrameConvWeight final : public FrameConvWeight {
 public:
  RefFrameConvWeight(const FrameConvGeometry& g, DType storage, const float* weight, const float* bias)
      : FrameConvWeight(g, storage),
        weight_(g.outputs * g.inputs, g.frames * g.size * g.size),
        bias_(1, g.outputs) {
    for (std::size_t i = 0; i < weight_.value.size(); ++i) {
      weight_.value[i] =
          static_cast<double>(storage == DType::bf16 ? to_float(to_bf16(weight[i])) : weight[i]);
    }
    std::copy_n(bias, g.outputs, bias_.value.begin());
  }

  [[nodiscard]] double weight(std::int64_t o, std::int64_t i, std::int64_t tap) const {
    return weight_(o * geometry().inputs + i, tap);
  }
  [[nodiscard]] double bias(std::int64_t o) const { return bias_[o]; }

 private:
  Dense weight_;
  Dense bias_;
};

struct Position {
  std::int64_t frame, row, column;
};

/// Reads the padded, possibly enlarged input of a convolution.
class Source {
 public:
  explicit Source(const FrameConv& a)
      : x_(ref::read(a.x)),
        shape_(a.x.shape),
        front_(a.front),
        zoom_(a.weight->geometry().scale == FrameScale::twice ? 2 : 1) {}

  /// The pixel's row in x_, or -1 where there are only zeros.
  [[nodiscard]] std::int64_t pixel(const Position& at) const {
    const std::int64_t frame = at.frame - front_;
    const bool inside = frame >= 0 && at.row >= 0 && at.column >= 0 && at.row < zoom_ * shape_[1] &&
                        at.column < zoom_ * shape_[2];
    return inside ? (frame * shape_[1] + at.row / zoom_) * shape_[2] + at.column / zoom_ : -1;
  }
  [[nodiscard]] double value(std::int64_t pixel, std::int64_t channel) const { return x_(pixel, channel); }

 private:
  Dense x_;
  Shape shape_;
  std::int64_t front_;
  std::int64_t zoom_;
};

/// One output value: all channels `o` would have before interleaving, at an output position.
double convolve(const Source& source, const RefFrameConvWeight& weight, std::int64_t o, const Position& out) {
  const FrameConvGeometry& g = weight.geometry();
  const std::int64_t stride = g.scale == FrameScale::half ? 2 : 1;
  const std::int64_t padding = g.size == 3 && g.scale != FrameScale::half ? 1 : 0;
  double sum = weight.bias(o);
  for (std::int64_t tap = 0; tap < g.frames * g.size * g.size; ++tap) {
    const Position at{out.frame * g.frame_stride + tap / (g.size * g.size),
                      out.row * stride + tap / g.size % g.size - padding,
                      out.column * stride + tap % g.size - padding};
    const std::int64_t pixel = source.pixel(at);
    if (pixel < 0) continue;
    for (std::int64_t i = 0; i < g.inputs; ++i) sum += weight.weight(o, i, tap) * source.value(pixel, i);
  }
  return sum;
}

std::int64_t dense_place(const Dense& dense, FrameLayout layout, std::int64_t pixel, std::int64_t channel) {
  return layout == FrameLayout::pixels ? pixel * dense.cols + channel : channel * dense.cols + pixel;
}

Dense read_any(const Tensor& tensor) {
  if (tensor.dtype != DType::u8) return ref::read(tensor);
  Dense out(tensor.rows(), tensor.cols());
  for (std::int64_t row = 0; row < out.rows; ++row) {
    for (std::int64_t col = 0; col < out.cols; ++col)
      out(row, col) = tensor.as<std::uint8_t>()[row * tensor.row_stride + col];
  }
  return out;
}

}  // namespace

std::unique_ptr<FrameConvWeight> RefFrameOps::make(const FrameConvGeometry& geometry, DType storage,
                                                   const float* weight, const float* bias) {
  return std::make_unique<RefFrameConvWeight>(geometry, storage, weight, bias);
}

void RefFrameOps::run(const FrameConv& a) {
  const auto& weight = dynamic_cast<const RefFrameConvWeight&>(*a.weight);
  const Source source(a);
  const Shape& shape = a.y.shape;
  const std::int64_t phases = weight.geometry().interleave ? 2 : 1;
  Dense y(a.y.rows(), a.y.cols());
  std::int64_t at = 0;
  for (std::int64_t frame = 0; frame < shape[0]; ++frame) {
    for (std::int64_t row = 0; row < shape[1]; ++row) {
      for (std::int64_t column = 0; column < shape[2]; ++column) {
        for (std::int64_t channel = 0; channel < shape[3]; ++channel) {
          const std::int64_t o = frame % phases * shape[3] + channel;
          y[at++] = convolve(source, weight, o, {frame / phases, row, column});
        }
      }
    }
  }
  if (a.accumulate) {
    ref::add(a.y, y);
  } else {
    ref::write(a.y, y);
  }
}

void RefFrameOps::run(const FrameNorm& a) {
  const Dense gamma = ref::read(a.gamma);
  Dense x = ref::read(a.x);
  for (std::int64_t pixel = 0; pixel < x.rows; ++pixel) {
    double squares = 0;
    for (std::int64_t c = 0; c < x.cols; ++c) squares += x(pixel, c) * x(pixel, c);
    const double factor = std::sqrt(static_cast<double>(x.cols)) / std::max(std::sqrt(squares), 1e-12);
    for (std::int64_t c = 0; c < x.cols; ++c) {
      const double u = x(pixel, c) * factor * gamma[c];
      x(pixel, c) = a.silu ? u / (1 + std::exp(-u)) : u;
    }
  }
  ref::write(a.y, x);
}

void RefFrameOps::run(const FrameMap& a) {
  const Dense x = read_any(a.x);
  Dense y(a.y.rows(), a.y.cols());
  const std::int64_t channels = a.from == FrameLayout::pixels ? x.cols : x.rows;
  const std::int64_t pixels = a.from == FrameLayout::pixels ? x.rows : x.cols;
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto channel = static_cast<std::size_t>(c);
      double value = x[dense_place(x, a.from, pixel, c)];
      if (!a.scale.empty())
        value = value * static_cast<double>(a.scale[channel]) + static_cast<double>(a.shift[channel]);
      y[dense_place(y, a.to, pixel, c)] =
          std::clamp(value, static_cast<double>(a.lowest), static_cast<double>(a.highest));
    }
  }
  ref::write(a.y, y);
}

}  // namespace wan
