#pragma once
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "device/ops/cuda/status.hpp"

namespace wan::cuda {

/// Owns device memory of undefined content; data() is null if there is not so much left.
class DeviceMemory {
 public:
  explicit DeviceMemory(std::int64_t bytes) {
    if (cudaMalloc(&memory_, static_cast<std::size_t>(bytes)) == cudaSuccess) return;
    cudaGetLastError();  // else the next kernel's check would find it
    memory_ = nullptr;
  }
  ~DeviceMemory() { cudaFree(memory_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  [[nodiscard]] void* data() const { return memory_; }

 private:
  void* memory_ = nullptr;
};

/// Owns device memory that holds a copy of host memory.
class DeviceCopy {
 public:
  DeviceCopy(const void* from, std::size_t bytes) {
    check(cudaMalloc(&memory_, bytes == 0 ? 1 : bytes), "copy of weights");
    check(cudaMemcpy(memory_, from, bytes, cudaMemcpyHostToDevice), "copy of weights");
  }
  ~DeviceCopy() { cudaFree(memory_); }
  DeviceCopy(const DeviceCopy&) = delete;
  DeviceCopy& operator=(const DeviceCopy&) = delete;

  [[nodiscard]] void* data() const { return memory_; }

 private:
  void* memory_ = nullptr;
};

}  // namespace wan::cuda
