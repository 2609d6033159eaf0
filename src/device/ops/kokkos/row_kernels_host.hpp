#pragma once
#include "device/ops/kokkos/launch.hpp"

namespace wan::kernels {

/// The kernel on each row; r = row_index[row], 0 without an index.
template <class Kernel>
void launch_packed_rows(const char* label, std::int64_t rows, std::int64_t, bool,
                        const std::int32_t* row_index, const Kernel& kernel) {
  if (rows <= 0) return;
  Kokkos::parallel_for(
      label, Range(0, rows), KOKKOS_LAMBDA(std::int64_t row) {
        const Lanes lanes;
        kernel(lanes, row, kernel.rows(lanes, row), kernel.scalars(lanes, row),
               kernel.parameters(lanes, row_index == nullptr ? 0 : row_index[row]));
      });
}

}  // namespace wan::kernels
