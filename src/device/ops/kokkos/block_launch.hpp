#pragma once
#include <cuda_runtime_api.h>

#include <Kokkos_Core.hpp>
#include <cstddef>
#include <cstdint>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/kokkos/launch.hpp"

// Kernels that are written for the blocks of a GPU rather than for Kokkos' policies, in the order of Kokkos'
// kernels and seen by its tools.
namespace wan::kernels {

inline void check_launch(const char* label, cudaError_t status) {
  if (status != cudaSuccess) throw CommError(cat("[", label, "] CUDA: ", cudaGetErrorString(status)));
}

/// Shared memory that a block has without being allowed more.
inline constexpr int usual_shared_bytes = 48 << 10;

/// Lets `kernel` have that much shared memory of a block.
template <class Kernel>
void allow_shared_memory(const char* label, Kernel* kernel, int bytes) {
  check_launch(label, cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                           cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
}

/// kernel(arguments…) in a grid of blocks of `threads` with `shared_bytes` of dynamic shared memory.
template <class... Parameters, class... Arguments>
void launch_grid(const char* label, void (*kernel)(Parameters...), dim3 grid, int threads, int shared_bytes,
                 const Arguments&... arguments) {
  if (shared_bytes > usual_shared_bytes) allow_shared_memory(label, kernel, shared_bytes);
  const Space space;
  std::uint64_t id = 0;
  const bool watched = Kokkos::Tools::profileLibraryLoaded();
  if (watched) Kokkos::Tools::beginParallelFor(label, Kokkos::Tools::Experimental::device_id(space), &id);
  kernel<<<grid, static_cast<unsigned>(threads), static_cast<std::size_t>(shared_bytes),
           space.cuda_stream()>>>(arguments...);
  check_launch(label, cudaGetLastError());
  if (watched) Kokkos::Tools::endParallelFor(id);
}

}  // namespace wan::kernels
