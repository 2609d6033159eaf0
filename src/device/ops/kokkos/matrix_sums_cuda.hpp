#pragma once
#include <algorithm>

#include "device/ops/kokkos/column_sums.hpp"
#include "device/ops/kokkos/pack_lanes.hpp"

// Sums of a matrix' rows in two steps of fixed order, so that every run gives the same bits: each thread adds
// a pack of columns up over a chunk of rows, then a warp the chunks of each pack.
namespace wan::kernels {

template <class X>
struct SumChunkOfPack {
  std::int64_t rows;
  std::int64_t packs;  ///< of a row
  std::int64_t chunk;
  Matrix<X> x;
  float* partial;  ///< [chunks, packs * pack_width]

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t item) const {
    const std::int64_t number = item / packs;
    const Columns<pack_width> c{item % packs * pack_width};
    const std::int64_t last = (number + 1) * chunk < rows ? (number + 1) * chunk : rows;
    Pack<pack_width> sum{};
#pragma unroll 8
    for (std::int64_t row = number * chunk; row < last; ++row) sum += load(x.row(row), c);
    store(partial + number * packs * pack_width, c, sum);
  }
};

struct AddChunksOfPack {
  std::int64_t chunks;
  std::int64_t packs;
  const float* partial;
  float* out;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t pack) const {
    const Columns<pack_width> c{pack * pack_width};
    Pack<pack_width> sum{};
#pragma unroll 4
    for (std::int64_t chunk = lanes.lane; chunk < chunks; chunk += Lanes::width)
      sum += load(partial + chunk * packs * pack_width, c);
    add_up_warp(sum.value);
    lanes.once([&] { store(out, c, load(out, c) + sum); });
  }
};

/// out[c] += sum over rows of x[row, c]; `packs`: rows can be taken in packs.
template <class X>
void add_rows_of(const char* label, Workspace& workspace, std::int64_t rows, std::int64_t cols, bool packs,
                 const Matrix<X>& x, float* out) {
  if (rows <= 0 || cols <= 0) return;
  if (!packs || !in_packs_of<pack_width>(out)) {
    add_column_sums(label, workspace, rows, cols, nullptr, out, cols, MatrixElement<X>{x});
    return;
  }
  const Workspace::Scope scope(workspace);
  const std::int64_t of_row = cols / pack_width;
  const std::int64_t threads = Space().concurrency();
  const std::int64_t chunk = std::max<std::int64_t>(1, (rows * of_row + 8 * threads - 1) / (8 * threads)) * 8;
  const std::int64_t chunks = (rows + chunk - 1) / chunk;
  float* const partial = workspace.floats(chunks * cols);
  launch_items(label, chunks * of_row, SumChunkOfPack<X>{rows, of_row, chunk, x, partial});
  launch_rows(label, of_row, AddChunksOfPack{chunks, of_row, partial, out});
}

}  // namespace wan::kernels
