#pragma once

namespace wan {

/// Starts Kokkos on GPU `index` at the first call; it ends with the process, since it cannot start twice.
/// Returns the stream (cudaStream_t) on which all kernels run, in launch order.
void* start_gpu_session(int index);

}  // namespace wan
