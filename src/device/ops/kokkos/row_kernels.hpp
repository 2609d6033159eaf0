#pragma once

// Kernels that go through a matrix row by row. Such a kernel says
//   rows(lanes, row)           what it reads of a row, held by the lanes
//   scalars(lanes, row)        what else belongs to the row
//   parameters(lanes, r)       what belongs to all rows of index r, held by the lanes
//   operator()(lanes, row, rows, scalars, parameters)
// and is taken through them by launch_packed_rows, or with sums over rows by launch_rows_with_sums
// (row_sums.hpp). Its column_bytes are those of a column of `rows`, 0 if it does not take packs. On a GPU
// what stands in `rows` is under way to shared memory while lanes work on other rows.
#if defined(WAN_CUDA_KERNELS)
#include "device/ops/kokkos/row_kernels_cuda.hpp"  // IWYU pragma: export
#else
#include "device/ops/kokkos/row_kernels_host.hpp"  // IWYU pragma: export
#endif
