#include "device/ops/cuda/frame_conv_weight.hpp"

#include <vector>

#include "base/bf16.hpp"

namespace wan::cuda {
namespace {

std::int64_t padded(std::int64_t channels) {
  return (channels + 7) / 8 * 8;
}

/// Of [O, I, kt, kh, kw].
template <class T, class Round>
std::vector<T> packed(const FrameConvGeometry& g, const float* weight, const Round& round) {
  const std::int64_t taps = g.frames * g.size * g.size;
  const std::int64_t inputs = padded(g.inputs);
  std::vector<T> out(static_cast<std::size_t>(padded(g.outputs) * taps * inputs), round(0.0F));
  for (std::int64_t o = 0; o < g.outputs; ++o) {
    for (std::int64_t i = 0; i < g.inputs; ++i) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        out[static_cast<std::size_t>((o * taps + tap) * inputs + i)] =
            round(weight[(o * g.inputs + i) * taps + tap]);
      }
    }
  }
  return out;
}

template <class T>
DeviceCopy copy_of(const std::vector<T>& values) {
  return {values.data(), values.size() * sizeof(T)};
}

DeviceCopy packed_copy(const FrameConvGeometry& g, DType storage, const float* weight) {
  if (storage == DType::bf16) return copy_of(packed<bf16>(g, weight, [](float v) { return to_bf16(v); }));
  return copy_of(packed<float>(g, weight, [](float v) { return v; }));
}

DeviceCopy padded_copy(const FrameConvGeometry& g, const float* bias) {
  std::vector<float> values(bias, bias + g.outputs);
  values.resize(static_cast<std::size_t>(padded(g.outputs)));
  return copy_of(values);
}

}  // namespace

CudaFrameConvWeight::CudaFrameConvWeight(const FrameConvGeometry& geometry, DType storage,
                                         const float* weight, const float* bias)
    : FrameConvWeight(geometry, storage),
      matrix_(packed_copy(geometry, storage, weight)),
      bias_(padded_copy(geometry, bias)) {}

std::int64_t CudaFrameConvWeight::inputs() const {
  return padded(geometry().inputs);
}

std::int64_t CudaFrameConvWeight::outputs() const {
  return padded(geometry().outputs);
}

std::int64_t CudaFrameConvWeight::taps() const {
  return geometry().frames * geometry().size * geometry().size;
}

}  // namespace wan::cuda
