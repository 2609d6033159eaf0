#pragma once
#include <cstdint>

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan::kernels {

/// Elements of matrices of one shape: of_row(row) is the kernel of elements from that row on, which takes
/// packs as well. Where all matrices are dense, that of row 0 takes all elements.
template <class MakeKernel, class... T>
void launch_matrix_elements(const char* label, std::int64_t rows, std::int64_t cols, const MakeKernel& of_row,
                            const Matrix<T>&... matrices) {
  const bool packs = in_packs_of<pack_width>(matrices.data...);
  if (rows <= 1 || ((matrices.stride == cols) && ...)) {
    launch_packed_elements<pack_width>(label, rows * cols, packs, of_row(0));
  } else {
    const bool rows_too = cols % pack_width == 0 && ((matrices.stride % pack_width == 0) && ...);
    launch_elements_of_rows<pack_width>(label, rows, cols, packs && rows_too, of_row);
  }
}

}  // namespace wan::kernels
