#pragma once
#include <algorithm>
#include <cstdint>

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/workspace.hpp"

namespace wan::kernels {

/// Columns that one thread sums over all rows, in registers.
inline constexpr int column_tile = 64;

/// Adds rows into out[r], r = row_index[row] (out[0] without an index), for a tile of columns: value(row, c)
/// is what column c of the row contributes. Partial sums go out at the end of each run of one index, and
/// every 256 rows so that fp32 sums stay short.
template <class Value>
struct ColumnSums {
  std::int64_t rows;
  const std::int32_t* row_index;
  float* out;
  std::int64_t out_stride;
  Value value;

  KOKKOS_FUNCTION void operator()(std::int64_t begin, int count) const {
    constexpr std::int64_t longest_run = 256;
    float sum[column_tile];
    for (std::int64_t first = 0; first < rows;) {
      const std::int64_t index = row_index == nullptr ? 0 : row_index[first];
      std::int64_t last = first + 1;
      while (last < rows && last - first < longest_run && (row_index == nullptr || row_index[last] == index))
        ++last;
      if (count == column_tile) {
        add_rows<column_tile>(sum, first, last, begin, column_tile);
      } else {
        add_rows<0>(sum, first, last, begin, count);
      }
      float* const to = out + index * out_stride + begin;
      for (int c = 0; c < count; ++c) to[c] += sum[c];
      first = last;
    }
  }

 private:
  /// `fixed` is the tile's width where it is known, so that the sums stay in registers.
  template <int fixed>
  KOKKOS_FORCEINLINE_FUNCTION void add_rows(float* sum, std::int64_t first, std::int64_t last,
                                            std::int64_t begin, int count) const {
    const int width = fixed > 0 ? fixed : count;
    for (int c = 0; c < width; ++c) sum[c] = 0;
    for (std::int64_t row = first; row < last; ++row) {
#pragma omp simd
      for (int c = 0; c < width; ++c) sum[c] += value(row, begin + c);
    }
  }
};

/// out[row_index[row], c] += value(row, c) over all rows.
template <class Value>
void add_column_sums(const char* label, Workspace&, std::int64_t rows, std::int64_t cols,
                     const std::int32_t* row_index, float* out, std::int64_t out_stride, const Value& value) {
  if (cols <= 0) return;
  const ColumnSums<Value> sums{rows, row_index, out, out_stride, value};
  Kokkos::parallel_for(
      label, Range(0, (cols + column_tile - 1) / column_tile), KOKKOS_LAMBDA(std::int64_t tile) {
        const std::int64_t begin = tile * column_tile;
        sums(begin, static_cast<int>(std::min<std::int64_t>(column_tile, cols - begin)));
      });
}

}  // namespace wan::kernels
