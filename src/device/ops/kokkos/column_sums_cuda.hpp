#pragma once
#include <cstdint>

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/row_index.hpp"
#include "device/ops/kokkos/workspace.hpp"

// Sums over rows in two steps of fixed order, so that every run gives the same bits: chunks of rows are
// summed side by side, then the chunks of a column one after the other. A chunk puts the sum of its first run
// of rows of one index into a row of partial sums, since other chunks may end or go on with that index; its
// later runs begin in it, so that it alone adds to their sums meanwhile.
namespace wan::kernels {

/// Rows that one thread sums of its column.
inline constexpr std::int64_t row_chunk = 32;

template <class Value, class Target>
struct ChunkSums {
  std::int64_t rows;
  std::int64_t cols;
  RowIndex index;
  float* partial;
  Target target;
  Value value;

  KOKKOS_FUNCTION void operator()(std::int64_t item) const {
    const std::int64_t c = item % cols;
    const std::int64_t first = item / cols * row_chunk;
    const std::int64_t last = first + row_chunk < rows ? first + row_chunk : rows;
    for (std::int64_t row = first; row < last;) {
      const bool first_run = row == first;
      const std::int32_t r = index(row);
      const std::int64_t end = index.end_of_run(row, last);
      float sum = 0;
#pragma unroll 8
      for (; row < end; ++row) sum += value(row, c);
      if (first_run) {
        partial[item] = sum;
      } else if (float* const to = target(r, c)) {
        *to += sum;
      }
    }
  }
};

/// Adds one column's chunks to where they belong.
template <class Target>
struct AddChunks {
  std::int64_t chunks;
  std::int64_t cols;
  RowIndex index;  ///< of the chunks' first rows
  const float* partial;
  Target target;

  KOKKOS_FUNCTION void operator()(std::int64_t c) const {
    for (std::int64_t chunk = 0; chunk < chunks;) {
      float* const to = target(index(chunk), c);
      float sum = 0;
      const std::int64_t end = index.end_of_run(chunk, chunks);
#pragma unroll 8
      for (; chunk < end; ++chunk) sum += partial[chunk * cols + c];
      if (to != nullptr) *to += sum;
    }
  }
};

/// *target(index of the row, c) += value(row, c) over all rows; where target gives none, the sum is dropped.
template <class Value, class Target>
void add_column_sums_to(const char* label, Workspace& workspace, std::int64_t rows, std::int64_t cols,
                        const std::int32_t* row_index, const Target& target, const Value& value) {
  if (rows <= 0 || cols <= 0) return;
  const Workspace::Scope scope(workspace);
  const std::int64_t chunks = (rows + row_chunk - 1) / row_chunk;
  float* const partial = workspace.floats(chunks * cols);
  launch_items(label, chunks * cols,
               ChunkSums<Value, Target>{rows, cols, {row_index}, partial, target, value});
  launch_items(label, cols, AddChunks<Target>{chunks, cols, {row_index, row_chunk}, partial, target});
}

/// Element (r, c) of a matrix.
struct ElementOf {
  float* out;
  std::int64_t stride;

  KOKKOS_FORCEINLINE_FUNCTION float* operator()(std::int64_t r, std::int64_t c) const {
    return out + r * stride + c;
  }
};

/// out[row_index[row], c] += value(row, c) over all rows; out[0] without an index.
template <class Value>
void add_column_sums(const char* label, Workspace& workspace, std::int64_t rows, std::int64_t cols,
                     const std::int32_t* row_index, float* out, std::int64_t out_stride, const Value& value) {
  add_column_sums_to(label, workspace, rows, cols, row_index, ElementOf{out, out_stride}, value);
}

}  // namespace wan::kernels
