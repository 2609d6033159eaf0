#include "device/ops/kokkos/frame_stage.hpp"

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan::kernels {
namespace {

/// Channels that one thread moves: 16 bytes.
constexpr std::uint32_t group = 8;

struct alignas(16) Channels {
  bf16 value[group];
};

/// Frames, and channels by group. 32 bits: dividing longer numbers takes a GPU four times as long.
struct Extent {
  std::uint32_t rows, columns, channels;
};

struct StageGroup {
  Extent from, to;
  std::uint32_t front, enlarged;
  bool whole_groups;  ///< x's groups begin at multiples of 16 bytes
  const bf16* x;
  Channels* y;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t item) const {
    const std::uint32_t groups = to.channels / group;
    const auto place = static_cast<std::uint32_t>(item);
    const std::uint32_t channel = place % groups * group;
    const std::uint32_t pixel = place / groups;
    const std::uint32_t column = pixel % to.columns / enlarged;
    const std::uint32_t row = pixel / to.columns % to.rows / enlarged;
    const std::uint32_t frame = pixel / to.columns / to.rows;
    Channels out{};
    if (frame >= front && row < from.rows && column < from.columns) {
      const std::int64_t source = (std::int64_t{frame - front} * from.rows + row) * from.columns + column;
      const bf16* const in = x + source * from.channels + channel;
      if (whole_groups) {
        out = *reinterpret_cast<const Channels*>(in);
      } else {
        for (std::uint32_t c = 0; c < group; ++c)
          if (channel + c < from.channels) out.value[c] = in[c];
      }
    }
    y[item] = out;
  }
};

struct AddBias {
  std::uint32_t groups;  ///< of a pixel's channels
  const Channels* product;
  const float* bias;
  bool accumulate;
  Channels* y;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t item) const {
    const float* const added = bias + static_cast<std::uint32_t>(item) % groups * group;
    const Channels in = product[item];
    Channels out{};
    if (accumulate) out = y[item];
    for (std::uint32_t c = 0; c < group; ++c)
      store(out.value, c, load(out.value, c) + (load(in.value, c) + added[c]));
    y[item] = out;
  }
};

Extent extent_of(const Tensor& frames) {
  const auto narrow = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  return {narrow(frames.shape[1]), narrow(frames.shape[2]), narrow(frames.shape[3])};
}

}  // namespace

void stage_frames(const Tensor& x, std::int64_t front, std::int64_t enlarged, const Tensor& y) {
  const bool whole_groups = x.shape[3] % group == 0 && reinterpret_cast<std::uintptr_t>(x.data) % 16 == 0;
  launch_items("stage_frames", y.elements() / group,
               StageGroup{extent_of(x), extent_of(y), static_cast<std::uint32_t>(front),
                          static_cast<std::uint32_t>(enlarged), whole_groups, x.as<const bf16>(),
                          static_cast<Channels*>(y.data)});
}

void add_channel_bias(const void* product, const float* bias, bool accumulate, const Tensor& y) {
  launch_items("add_channel_bias", y.elements() / group,
               AddBias{static_cast<std::uint32_t>(y.cols() / group), static_cast<const Channels*>(product),
                       bias, accumulate, static_cast<Channels*>(y.data)});
}

}  // namespace wan::kernels
