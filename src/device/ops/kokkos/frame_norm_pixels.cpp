#include "device/ops/kokkos/frame_norm_pixels.hpp"

#include <cmath>
#include <type_traits>

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan::kernels {
namespace {

constexpr int group = 8;  ///< channels of one load
constexpr int most_groups = 4;

struct alignas(16) Channels {
  bf16 value[group];
};

/// u / (1 + e^-u) to a few units in the last place of fp32, which bf16 never shows.
KOKKOS_FORCEINLINE_FUNCTION float silu_of(float u) {
#if defined(__CUDA_ARCH__)
  return __fdividef(u, 1.0F + __expf(-u));
#else
  return u / (1.0F + std::exp(-u));
#endif
}

/// A thread holds `groups` groups of a pixel's channels, `lanes` threads of one warp the whole pixel.
template <int groups, bool silu>
struct NormPixel {
  std::int64_t pixels;
  int lanes;
  float root;  ///< sqrt(channels)
  const Channels* x;
  Channels* y;
  const float* gamma;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t thread) const {
    const auto lane = static_cast<int>(thread % lanes);
    const std::int64_t pixel = thread / lanes;
    const bool real = pixel < pixels;  // others only help to add up
    const std::int64_t first = pixel * groups * lanes + lane;
    Channels in[groups] = {};
    float squares = 0;
    for (int g = 0; g < groups; ++g) {
      if (real) in[g] = x[first + g * lanes];
      for (int c = 0; c < group; ++c) squares += load(in[g].value, c) * load(in[g].value, c);
    }
#if defined(__CUDA_ARCH__)
    for (int apart = lanes / 2; apart > 0; apart /= 2)
      squares += __shfl_xor_sync(0xffffffffU, squares, apart);
#endif
    if (!real) return;
    const float norm = std::sqrt(squares);
    const float factor = root / (norm < 1e-12F ? 1e-12F : norm);
    for (int g = 0; g < groups; ++g) {
      const float* const weight = gamma + (g * lanes + lane) * group;
      Channels out;
      for (int c = 0; c < group; ++c) {
        const float u = load(in[g].value, c) * factor * weight[c];
        store(out.value, c, silu ? silu_of(u) : u);
      }
      y[first + g * lanes] = out;
    }
  }
};

template <int groups>
void launch(const FrameNorm& a, int lanes) {
  const std::int64_t pixels = a.x.rows();
  const std::int64_t threads = (pixels * lanes + Lanes::width - 1) / Lanes::width * Lanes::width;
  const float root = std::sqrt(static_cast<float>(a.x.cols()));
  const auto start = [&](auto silu) {
    launch_items(
        "frame_norm", threads,
        NormPixel<groups, decltype(silu)::value>{pixels, lanes, root, static_cast<const Channels*>(a.x.data),
                                                 static_cast<Channels*>(a.y.data), a.gamma.as<float>()});
  };
  if (a.silu) {
    start(std::true_type{});
  } else {
    start(std::false_type{});
  }
}

bool aligned(const Tensor& tensor) {
  return reinterpret_cast<std::uintptr_t>(tensor.data) % sizeof(Channels) == 0;
}

}  // namespace

bool norm_pixels(const FrameNorm& a) {
  const std::int64_t channels = a.x.cols();
  if (a.x.dtype != DType::bf16 || channels % group != 0 || !aligned(a.x) || !aligned(a.y)) return false;
  int lanes = 1;
  std::int64_t groups = channels / group;
  for (; groups % 2 == 0 && lanes < Lanes::width; groups /= 2) lanes *= 2;
  switch (groups) {
    case 1:
      launch<1>(a, lanes);
      return true;
    case 2:
      launch<2>(a, lanes);
      return true;
    case 3:
      launch<3>(a, lanes);
      return true;
    case most_groups:
      launch<most_groups>(a, lanes);
      return true;
    default:
      return false;
  }
}

}  // namespace wan::kernels
