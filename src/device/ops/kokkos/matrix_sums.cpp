#include "device/ops/kokkos/matrix_sums.hpp"

#include <algorithm>

#include "device/ops/kokkos/column_sums.hpp"
#include "device/ops/kokkos/row_sums.hpp"

namespace wan::kernels {
namespace {

template <class X>
struct SumRow {
  static constexpr int column_bytes = bytes_of_column<X>;

  std::int64_t cols;
  Matrix<X> x;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto rows(const AnyLanes& lanes, std::int64_t row) const {
    return lanes.hold(cols, x.row(row));
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Nothing scalars(const AnyLanes&, std::int64_t) const {
    return {};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Nothing parameters(const AnyLanes&, std::int64_t) const {
    return {};
  }
  template <class AnyLanes, class In, class Sums>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t, const In& in, Nothing,
                                              Nothing, Sums& sums) const {
    lanes.each(cols, [&](auto c) { sums.add(0, c, in(c)); });
  }
};

template <class X>
struct Element {
  Matrix<X> x;

  KOKKOS_FORCEINLINE_FUNCTION float operator()(std::int64_t row, std::int64_t c) const {
    return load(x.row(row), c);
  }
};

/// Fewer rows than this keep no GPU busy by chunks of them: columns do.
constexpr std::int64_t few_rows = 256;

/// Columns that are summed at once, so that a block of a GPU can hold them.
constexpr std::int64_t band = 4096;

}  // namespace

void sum_matrix_rows(const char* label, Workspace& workspace, const Tensor& x, const Tensor& out) {
  if (x.rows() < few_rows) {
    with_storage(x, [&](auto rows) {
      using X = std::remove_pointer_t<decltype(rows.data)>;
      add_column_sums(label, workspace, x.rows(), x.cols(), nullptr, out.as<float>(), x.cols(),
                      Element<X>{rows});
    });
    return;
  }
  for (std::int64_t first = 0; first < x.cols(); first += band) {
    const std::int64_t cols = std::min(band, x.cols() - first);
    const Tensor part = x.col_range(first, first + cols);
    with_storage(part, [&](auto rows) {
      using X = std::remove_pointer_t<decltype(rows.data)>;
      launch_rows_with_sums(label, workspace, x.rows(), cols, in_packs(cols, part),
                            RowSums<1>{nullptr, {Matrix<float>{out.as<float>() + first, cols}}},
                            SumRow<X>{cols, rows});
    });
  }
}

}  // namespace wan::kernels
