#pragma once
#include <algorithm>

#include "device/ops/kokkos/column_sums.hpp"
#include "device/ops/kokkos/row_sums.hpp"

namespace wan::kernels {

template <class X>
struct SumRow {
  std::int64_t cols;
  Matrix<X> x;

  RowView<X> rows(const Lanes& lanes, std::int64_t row) const { return lanes.hold(cols, x.row(row)); }
  Nothing scalars(const Lanes&, std::int64_t) const { return {}; }
  Nothing parameters(const Lanes&, std::int64_t) const { return {}; }
  template <class Sums>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t, const RowView<X>& in, Nothing,
                                              Nothing, Sums& sums) const {
    lanes.each(cols, [&](auto c) { sums.add(0, c, in(c)); });
  }
};

/// Fewer rows than this are not worth being summed in blocks side by side: columns are.
inline constexpr std::int64_t few_rows = 256;

/// Columns that are summed at once, so that their sums stay in the first cache.
inline constexpr std::int64_t band = 4096;

/// out[c] += sum over rows of x[row, c].
template <class X>
void add_rows_of(const char* label, Workspace& workspace, std::int64_t rows, std::int64_t cols, bool,
                 const Matrix<X>& x, float* out) {
  if (rows < few_rows) {
    add_column_sums(label, workspace, rows, cols, nullptr, out, cols, MatrixElement<X>{x});
    return;
  }
  for (std::int64_t first = 0; first < cols; first += band) {
    const std::int64_t count = std::min(band, cols - first);
    launch_rows_with_sums(label, workspace, rows, count, false, RowSums<1>{nullptr, {{out + first, count}}},
                          SumRow<X>{count, {x.data + first, x.stride}});
  }
}

}  // namespace wan::kernels
