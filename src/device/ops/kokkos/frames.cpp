#include <algorithm>
#include <cmath>
#include <type_traits>

#include "device/ops/kokkos/kokkos_frame_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"
#include "device/ops/kokkos/vector_math.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

/// One pixel.
template <class T, bool silu>
struct Normalise {
  std::int64_t channels;
  float root;  ///< sqrt(channels)
  Matrix<T> x;
  Matrix<T> y;
  const float* gamma;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t pixel) const {
    const T* const in = x.row(pixel);
    T* const out = y.row(pixel);
    const float* const g = gamma;
    const float squares = lanes.sum(channels, [=](std::int64_t c) { return load(in, c) * load(in, c); });
    const float norm = std::sqrt(squares);
    const float factor = root / (norm < 1e-12F ? 1e-12F : norm);
    lanes.each(channels, [=](std::int64_t c) {
      const float u = load(in, c) * factor * g[c];
      store(out, c, silu ? u * sigmoid(u) : u);
    });
  }
};

template <class T, bool silu>
void normalise(const FrameNorm& a) {
  const std::int64_t channels = a.x.cols();
  launch_rows("frame_norm", a.x.rows(),
              Normalise<T, silu>{channels, std::sqrt(static_cast<float>(channels)), matrix<T>(a.x),
                                 matrix<T>(a.y), a.gamma.as<float>()});
}

/// Where channel c of a pixel lies: pixel * pixel_step + c * channel_step.
template <class T>
struct Strided {
  T* data;
  std::int64_t pixel_step;
  std::int64_t channel_step;
};

template <class T>
Strided<T> strided(const Tensor& tensor, FrameLayout layout) {
  if (layout == FrameLayout::pixels) return {tensor.as<T>(), tensor.cols(), 1};
  return {tensor.as<T>(), 1, tensor.row_stride};
}

/// Numbers of the host travel with the launch, so that nothing waits for a copy of them.
struct ChannelFactors {
  bool given;
  float scale[FrameMap::most_scaled_channels];
  float shift[FrameMap::most_scaled_channels];
};

ChannelFactors factors_of(const FrameMap& a) {
  ChannelFactors out{};
  out.given = !a.scale.empty();
  std::copy(a.scale.begin(), a.scale.end(), out.scale);
  std::copy(a.shift.begin(), a.shift.end(), out.shift);
  return out;
}

/// One pixel.
template <class X, class Y>
struct MapPixel {
  std::int64_t channels;
  Strided<X> x;
  Strided<Y> y;
  ChannelFactors factors;
  float lowest;
  float highest;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t pixel) const {
    for (std::int64_t c = 0; c < channels; ++c) {
      float value = load(x.data, pixel * x.pixel_step + c * x.channel_step);
      if (factors.given) value = value * factors.scale[c] + factors.shift[c];
      value = value < lowest ? lowest : value;
      store(y.data, pixel * y.pixel_step + c * y.channel_step, value > highest ? highest : value);
    }
  }
};

}  // namespace

void KokkosFrameOps::run(const FrameNorm& a) {
  with_storage(a.x, [&](auto x) {
    using T = std::remove_pointer_t<decltype(x.data)>;
    if (a.silu) {
      normalise<T, true>(a);
    } else {
      normalise<T, false>(a);
    }
  });
}

void KokkosFrameOps::run(const FrameMap& a) {
  const std::int64_t channels = a.from == FrameLayout::pixels ? a.x.cols() : a.x.rows();
  const ChannelFactors factors = factors_of(a);
  const auto launch = [&](auto source, auto target) {
    using X = std::remove_pointer_t<decltype(source)>;
    using Y = std::remove_pointer_t<decltype(target)>;
    launch_items("frame_map", channels == 0 ? 0 : a.x.elements() / channels,
                 MapPixel<X, Y>{channels, strided<X>(a.x, a.from), strided<Y>(a.y, a.to), factors, a.lowest,
                                a.highest});
  };
  with_storage(a.y, [&](auto y) {
    if (a.x.dtype == DType::u8) return launch(static_cast<std::uint8_t*>(nullptr), y.data);
    with_storage(a.x, [&](auto x) { launch(x.data, y.data); });
  });
}

}  // namespace wan
