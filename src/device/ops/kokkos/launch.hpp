#pragma once

// How our kernels run. A kernel is a functor of raw pointers and sizes, written for one row (whose columns a
// group of lanes shares), one item, or one element. What a group of lanes is stands in these headers alone:
// on the CPU one thread with its SIMD lanes, on a GPU a warp.
#if defined(WAN_CUDA_KERNELS)
#include "device/ops/kokkos/launch_cuda.hpp"  // IWYU pragma: export
#else
#include "device/ops/kokkos/launch_host.hpp"  // IWYU pragma: export
#endif
