#pragma once
#include <cstdint>

#include "device/ops/kokkos/storage.hpp"

namespace wan::kernels {

/// Sums over rows that a kernel of rows feeds on its way: out[number][r, c] += term, r the row's index.
template <int count>
struct RowSums {
  const std::int32_t* row_index;  ///< per row, never decreasing; none: r = 0
  Matrix<float> out[count];       ///< no data: not wanted
};

/// Sums of one run of rows, in memory.
template <int count>
struct MemorySums {
  float* at[count];

  KOKKOS_FORCEINLINE_FUNCTION void add(int number, std::int64_t c, float term) const {
    at[number][c] += term;
  }
};

}  // namespace wan::kernels

#if defined(WAN_CUDA_KERNELS)
#include "device/ops/kokkos/row_sums_cuda.hpp"  // IWYU pragma: export
#else
#include "device/ops/kokkos/row_sums_host.hpp"  // IWYU pragma: export
#endif
