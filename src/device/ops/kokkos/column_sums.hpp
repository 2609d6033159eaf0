#pragma once
#include "device/ops/kokkos/storage.hpp"

namespace wan::kernels {

/// An element of a matrix in fp32: what is summed where a matrix itself is.
template <class T>
struct MatrixElement {
  Matrix<T> matrix;

  KOKKOS_FORCEINLINE_FUNCTION float operator()(std::int64_t row, std::int64_t c) const {
    return load(matrix.row(row), c);
  }
};

}  // namespace wan::kernels

#if defined(WAN_CUDA_KERNELS)
#include "device/ops/kokkos/column_sums_cuda.hpp"  // IWYU pragma: export
#else
#include "device/ops/kokkos/column_sums_host.hpp"  // IWYU pragma: export
#endif
