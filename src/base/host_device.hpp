#pragma once

// For inline functions that kernels call too: compiled for the host, and by nvcc also for the device.
#if defined(__CUDACC__)
#define WAN_HOST_DEVICE __host__ __device__
#else
#define WAN_HOST_DEVICE
#endif
