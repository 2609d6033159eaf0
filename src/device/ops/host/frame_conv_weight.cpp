#include "device/ops/host/frame_conv_weight.hpp"

#include "base/bf16.hpp"

namespace wan::host {
namespace {

/// Values as they are once stored.
std::vector<float> rounded(const float* weight, std::int64_t count, DType storage) {
  std::vector<float> out(weight, weight + count);
  if (storage == DType::bf16) {
    for (float& value : out) value = to_float(to_bf16(value));
  }
  return out;
}

}  // namespace

HostFrameConvWeight::HostFrameConvWeight(const FrameConvGeometry& g, DType storage, DType compute,
                                         const float* weight, const float* bias)
    : FrameConvWeight(g, storage), compute_(compute), bias_(bias, bias + g.outputs) {
  const std::vector<float> stored =
      rounded(weight, g.outputs * g.inputs * g.frames * g.size * g.size, storage);
  if (g.interleave) {
    fold_interleaved(stored.data());
  } else if (g.scale == FrameScale::twice) {
    fold_enlarged(stored.data());
  } else {
    kernels_.emplace_back(g.outputs, g.inputs, Extents{g.frames, g.size, g.size}, compute, stored.data(),
                          bias);
  }
}

/// Both frames that come of one are rows of a picture two rows high, whose input is one row high: a kernel of
/// two rows with padding 1 gives row 0 by its second row alone and row 1 by its first. So the result lies in
/// its final place.
void HostFrameConvWeight::fold_interleaved(const float* weight) {
  const FrameConvGeometry& g = geometry();
  const std::int64_t outputs = g.outputs / 2;
  std::vector<float> folded(static_cast<std::size_t>(g.outputs * g.inputs * g.frames));
  for (std::int64_t o = 0; o < g.outputs; ++o) {
    const std::int64_t row = 1 - o / outputs;
    for (std::int64_t tap = 0; tap < g.inputs * g.frames; ++tap) {
      folded[static_cast<std::size_t>((o % outputs * g.inputs * g.frames + tap) * 2 + row)] =
          weight[o * g.inputs * g.frames + tap];
    }
  }
  kernels_.emplace_back(outputs, g.inputs, Extents{g.frames, 2, 1}, compute_, folded.data(), nullptr);
}

/// After enlarging, a 3x3 window of an output pixel covers only 2x2 different input pixels, which ones
/// depending on the pixel's place in its group of 2x2: four kernels of 2x2, 4/9 of the products and no
/// enlarged copy.
void HostFrameConvWeight::fold_enlarged(const float* weight) {
  const FrameConvGeometry& g = geometry();
  for (std::int64_t phase = 0; phase < 4; ++phase) {
    std::vector<float> folded(static_cast<std::size_t>(g.outputs * g.inputs * g.frames * 4));
    for (std::int64_t tap = 0; tap < g.outputs * g.inputs * g.frames; ++tap) {
      for (std::int64_t row = 0; row < 3; ++row) {
        for (std::int64_t column = 0; column < 3; ++column) {
          const std::int64_t place = (row + 1 - phase / 2) / 2 * 2 + (column + 1 - phase % 2) / 2;
          folded[static_cast<std::size_t>(tap * 4 + place)] += weight[tap * 9 + row * 3 + column];
        }
      }
    }
    kernels_.emplace_back(g.outputs, g.inputs, Extents{g.frames, 2, 2}, compute_, folded.data(),
                          bias_.data());
  }
}

}  // namespace wan::host
