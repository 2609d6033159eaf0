#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

/// Where the elements of one sample's tokens lie in its latents [C, f, 2 rows, 2 columns].
struct Places {
  std::int64_t channels;
  Grid grid;
  bool channel_first;

  /// body(column of the token, element of the sample) for each of the token's 4 C values.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each(const Lanes& lanes, std::int64_t token, const Body& body) const {
    const std::int64_t frame = token / (grid.rows * grid.columns);
    const std::int64_t row = token / grid.columns % grid.rows;
    const std::int64_t column = token % grid.columns;
    const std::int64_t width = 2 * grid.columns;
    const std::int64_t plane = grid.frames * 2 * grid.rows * width;
    for (std::int64_t place = 0; place < 4; ++place) {
      const std::int64_t first =
          (frame * 2 * grid.rows + 2 * row + place / 2) * width + 2 * column + place % 2;
      const std::int64_t step = channel_first ? 4 : 1;
      const std::int64_t at = channel_first ? place : place * channels;
      lanes.each(channels, [=](std::int64_t c) { body(at + c * step, first + c * plane); });
    }
  }
};

template <class L, class T>
struct Gather {
  Places places;
  const L* latents;
  Matrix<T> tokens;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t token) const {
    const L* const from = latents;
    T* const to = tokens.row(token);
    places.each(lanes, token,
                [=](std::int64_t column, std::int64_t at) { store(to, column, load(from, at)); });
  }
};

template <class L, class T>
struct Scatter {
  Places places;
  L* latents;
  Matrix<T> tokens;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t token) const {
    L* const to = latents;
    const T* const from = tokens.row(token);
    places.each(lanes, token,
                [=](std::int64_t column, std::int64_t at) { store(to, at, load(from, column)); });
  }
};

template <class T>
struct ZeroRows {
  std::int64_t cols;
  Matrix<T> rows;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    T* const to = rows.row(row);
    lanes.each(cols, [=](std::int64_t c) { store(to, c, 0.0F); });
  }
};

}  // namespace

void KokkosOps::run(const Patchify& a) {
  const std::int64_t cols = a.tokens.cols();
  const bool channel_first = a.order == PatchOrder::channel_first;
  with_storage(a.latents, a.tokens, [&](auto latents, auto tokens) {
    using L = std::remove_pointer_t<decltype(latents.data)>;
    using T = std::remove_pointer_t<decltype(tokens.data)>;
    for (std::size_t s = 0; s < a.layout->grid.size(); ++s) {
      const std::int64_t first = a.layout->offset[s];
      launch_rows("patchify", a.layout->grid[s].tokens(),
                  Gather<L, T>{{cols / 4, a.layout->grid[s], channel_first},
                               latents.data + first * cols,
                               {tokens.row(first), tokens.stride}});
    }
    const std::int64_t last = a.layout->offset.back();
    launch_rows("patchify_tail", a.tokens.rows() - last,
                ZeroRows<T>{cols, {tokens.row(last), tokens.stride}});
  });
}

void KokkosOps::run(const Unpatchify& a) {
  const std::int64_t cols = a.tokens.cols();
  const bool channel_first = a.order == PatchOrder::channel_first;
  with_storage(a.latents, a.tokens, [&](auto latents, auto tokens) {
    using L = std::remove_pointer_t<decltype(latents.data)>;
    using T = std::remove_pointer_t<decltype(tokens.data)>;
    for (std::size_t s = 0; s < a.layout->grid.size(); ++s) {
      const std::int64_t first = a.layout->offset[s];
      launch_rows("unpatchify", a.layout->grid[s].tokens(),
                  Scatter<L, T>{{cols / 4, a.layout->grid[s], channel_first},
                                latents.data + first * cols,
                                {tokens.row(first), tokens.stride}});
    }
  });
}

}  // namespace wan
