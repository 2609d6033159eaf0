#include "device/ops/kokkos/frame_patches.hpp"

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan::kernels {
namespace {

/// Where the kernel's row or column `tap` at output place `at` reads, or -1 outside. One axis.
KOKKOS_FORCEINLINE_FUNCTION std::int64_t source(FrameScale scale, std::int64_t size, std::int64_t extent,
                                                std::int64_t at, std::int64_t tap) {
  if (size == 1) return at;
  if (scale == FrameScale::half) return 2 * at + tap < extent ? 2 * at + tap : -1;
  const std::int64_t place = at + tap - 1;
  if (scale == FrameScale::twice) return place >= 0 && place < 2 * extent ? place / 2 : -1;
  return place < extent ? place : -1;
}

/// One tap of one output pixel.
template <class T>
struct GatherTap {
  PatchGrid grid;
  std::int64_t frames, rows, columns;  ///< of x
  std::int64_t first;
  const T* x;
  Matrix<T> patches;
  std::int64_t tap_columns;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t item) const {
    const FrameConvGeometry& g = grid.geometry;
    const std::int64_t taps = g.frames * g.size * g.size;
    const std::int64_t tap = item % taps;
    const std::int64_t pixel = first + item / taps;
    const std::int64_t channels = g.inputs;
    const std::int64_t frame =
        pixel / (grid.height * grid.width) * g.frame_stride + tap / (g.size * g.size) - grid.front;
    const std::int64_t row =
        source(g.scale, g.size, rows, pixel / grid.width % grid.height, tap / g.size % g.size);
    const std::int64_t column = source(g.scale, g.size, columns, pixel % grid.width, tap % g.size);
    T* const to = patches.row(item / taps) + tap * tap_columns;
    if (frame < 0 || frame >= frames || row < 0 || column < 0) {
      lanes.each(channels, [=](std::int64_t c) { store(to, c, 0.0F); });
    } else {
      const T* const from = x + ((frame * rows + row) * columns + column) * channels;
      lanes.each(channels, [=](std::int64_t c) { to[c] = from[c]; });
    }
    lanes.each(tap_columns - channels, [=](std::int64_t c) { store(to, channels + c, 0.0F); });
  }
};

template <class P, class Y>
struct PlacePixel {
  PatchGrid grid;
  Matrix<P> product;
  const float* bias;
  bool accumulate;
  std::int64_t first;
  Y* y;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t item) const {
    const std::int64_t outputs = grid.geometry.outputs;
    const std::int64_t pixel = first + item;
    const P* const in = product.row(item);
    if (!grid.geometry.interleave) return place(lanes, in, bias, outputs, y + pixel * outputs);
    const std::int64_t pixels = grid.height * grid.width;
    const std::int64_t half = outputs / 2;
    for (std::int64_t part = 0; part < 2; ++part) {
      const std::int64_t to = (2 * (pixel / pixels) + part) * pixels + pixel % pixels;
      place(lanes, in + part * half, bias + part * half, half, y + to * half);
    }
  }

 private:
  KOKKOS_FORCEINLINE_FUNCTION void place(const Lanes& lanes, const P* in, const float* added,
                                         std::int64_t channels, Y* to) const {
    const bool keep = accumulate;
    lanes.each(channels,
               [=](std::int64_t c) { store(to, c, (keep ? load(to, c) : 0.0F) + (load(in, c) + added[c])); });
  }
};

}  // namespace

void gather_patches(const PatchGrid& grid, const Tensor& x, std::int64_t first, const Tensor& patches) {
  const std::int64_t taps = grid.geometry.frames * grid.geometry.size * grid.geometry.size;
  with_storage(patches, [&](auto rows) {
    using T = std::remove_pointer_t<decltype(rows.data)>;
    launch_rows("gather_patches", patches.rows() * taps,
                GatherTap<T>{grid, x.shape[0], x.shape[1], x.shape[2], first, x.as<T>(), rows,
                             patches.cols() / taps});
  });
}

void place_pixels(const PatchGrid& grid, const Tensor& product, const float* bias, bool accumulate,
                  std::int64_t first, const Tensor& y) {
  with_storage(product, y, [&](auto from, auto to) {
    using P = std::remove_pointer_t<decltype(from.data)>;
    using Y = std::remove_pointer_t<decltype(to.data)>;
    launch_rows("place_pixels", product.rows(),
                PlacePixel<P, Y>{grid, from, bias, accumulate, first, to.data});
  });
}

}  // namespace wan::kernels
