#pragma once
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/text.hpp"
#include "device/ops/cuda/status.hpp"
#include "device/out_of_memory.hpp"

namespace wan::cuda {

/// Device memory of undefined content, for cudaFree. Throws OutOfMemory.
[[nodiscard]] inline void* allocate(std::int64_t bytes) {
  void* memory = nullptr;
  const cudaError_t status =
      bytes < 0 ? cudaErrorMemoryAllocation
                : cudaMalloc(&memory, std::max<std::size_t>(static_cast<std::size_t>(bytes), 1));
  if (status != cudaErrorMemoryAllocation) {
    check(status, "allocate");
    return memory;
  }
  cudaGetLastError();  // else the next kernel's check would find it
  std::size_t free = 0;
  std::size_t total = 0;
  cudaMemGetInfo(&free, &total);
  throw OutOfMemory(
      bytes, cat("the GPU has no ", human_bytes(static_cast<double>(bytes)), " (",
                 human_bytes(static_cast<double>(free)), " of ", human_bytes(static_cast<double>(total)),
                 " free): ", cudaGetErrorString(status)));
}

/// Owns device memory of undefined content; data() is null if there is not so much left.
class OwnedMemory {
 public:
  explicit OwnedMemory(std::int64_t bytes) {
    if (cudaMalloc(&memory_, static_cast<std::size_t>(bytes)) == cudaSuccess) return;
    cudaGetLastError();  // else the next kernel's check would find it
    memory_ = nullptr;
  }
  ~OwnedMemory() { cudaFree(memory_); }
  OwnedMemory(const OwnedMemory&) = delete;
  OwnedMemory& operator=(const OwnedMemory&) = delete;

  [[nodiscard]] void* data() const { return memory_; }

 private:
  void* memory_ = nullptr;
};

/// Owns device memory that holds a copy of host memory.
class DeviceCopy {
 public:
  /// Throws OutOfMemory.
  DeviceCopy(const void* from, std::size_t bytes) : memory_(allocate(static_cast<std::int64_t>(bytes))) {
    check(cudaMemcpy(memory_, from, bytes, cudaMemcpyHostToDevice), "copy of weights");
  }
  ~DeviceCopy() { cudaFree(memory_); }
  DeviceCopy(const DeviceCopy&) = delete;
  DeviceCopy& operator=(const DeviceCopy&) = delete;

  [[nodiscard]] void* data() const { return memory_; }

 private:
  void* memory_;
};

}  // namespace wan::cuda
