#pragma once

#if defined(WAN_CUDA_KERNELS)
#include "device/ops/kokkos/column_sums_cuda.hpp"  // IWYU pragma: export
#else
#include "device/ops/kokkos/column_sums_host.hpp"  // IWYU pragma: export
#endif
