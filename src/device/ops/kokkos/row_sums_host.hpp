#pragma once
#include <vector>

#include "device/ops/kokkos/column_sums.hpp"
#include "device/ops/kokkos/row_kernels.hpp"
#include "device/ops/kokkos/row_sums.hpp"

namespace wan::kernels {

struct PartialRow {
  Matrix<const float> partial;

  KOKKOS_FORCEINLINE_FUNCTION float operator()(std::int64_t row, std::int64_t c) const {
    return partial.row(row)[c];
  }
};

/// The kernel on each row with one more argument, its sums: it calls sums.add(number, c, term). Blocks of at
/// most 32 rows of one index are summed side by side, then the blocks: the same bits on any number of
/// threads.
template <int count, class Kernel>
void launch_rows_with_sums(const char* label, Workspace& workspace, std::int64_t rows, std::int64_t cols,
                           bool, const RowSums<count>& sums, const Kernel& kernel) {
  constexpr std::int64_t longest_block = 32;
  const std::int32_t* const row_index = sums.row_index;
  std::vector<std::int64_t> start;
  std::vector<std::int32_t> index;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int32_t r = row_index == nullptr ? 0 : row_index[row];
    if (row > 0 && row - start.back() < longest_block && index.back() == r) continue;
    start.push_back(row);
    index.push_back(r);
  }
  const auto blocks = static_cast<std::int64_t>(start.size());
  start.push_back(rows);
  const Workspace::Scope scope(workspace);
  float* const partial = workspace.floats(blocks * count * cols);
  const std::int64_t* const begin = start.data();
  const std::int32_t* const block_index = index.data();
  launch_items(
      label, blocks, KOKKOS_LAMBDA(std::int64_t block) {
        MemorySums<count> part;
        for (int number = 0; number < count; ++number) {
          float* const at = partial + (number * blocks + block) * cols;
          Lanes{}.each(cols, [=](std::int64_t c) { at[c] = 0; });
          part.at[number] = at;
        }
        const Lanes lanes;
        const auto parameters = kernel.parameters(lanes, block_index[block]);
        for (std::int64_t row = begin[block]; row < begin[block + 1]; ++row) {
          kernel(lanes, row, kernel.rows(lanes, row), kernel.scalars(lanes, row), parameters, part);
        }
      });
  for (int number = 0; number < count; ++number) {
    const Matrix<float>& out = sums.out[number];
    if (out.data == nullptr) continue;
    add_column_sums(label, workspace, blocks, cols, block_index, out.data, out.stride,
                    PartialRow{{partial + number * blocks * cols, cols}});
  }
}

}  // namespace wan::kernels
