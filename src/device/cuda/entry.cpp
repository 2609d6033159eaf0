#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/cuda/cuda_device.hpp"
#include "device/cuda/identity.hpp"
#include "device/cuda/requirements.hpp"
#include "device/library_entry.hpp"
#include "device/ops/cuda/choices.hpp"
#include "device/ops/cuda/cuda_frame_ops.hpp"
#include "device/ops/cuda/cuda_ops.hpp"
#include "device/ops/cuda/cuda_text_ops.hpp"
#include "device/ops/cuda/status.hpp"
#include "device/ops/kokkos/gpu_session.hpp"
#include "device/ops/kokkos/self_test.hpp"

namespace wan {
namespace {

void check_driver() {
  int driver = 0;
  int runtime = 0;
  cuda::check(cudaDriverGetVersion(&driver), "driver version");
  cuda::check(cudaRuntimeGetVersion(&runtime), "runtime version");
  cuda::require_driver(driver, runtime);
}

void check_libraries() {
  const auto cudnn = static_cast<int>(cudnnGetVersion() / 10000);
  cuda::require_library("cuDNN", cat(cudnn, ".", cudnnGetVersion() % 10000 / 100), cudnn, CUDNN_MAJOR);
  const auto cublas = static_cast<int>(cublasLtGetVersion() / 10000);
  cuda::require_library("cuBLASLt", cat(cublas, ".", cublasLtGetVersion() % 10000 / 100), cublas,
                        CUBLAS_VER_MAJOR);
}

/// A GPU that is there and able.
struct Gpu {
  int index;
  cudaDeviceProp properties;
};

Gpu choose_gpu(int place) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  const int chosen = cuda::require_gpu(status == cudaSuccess ? count : 0, place, cudaGetErrorString(status));
  cudaDeviceProp found;
  cuda::check(cudaGetDeviceProperties(&found, chosen), "properties");
  cuda::require_capability(found.name, found.major, found.minor, WAN_CUDA_ARCHITECTURES);
  return {chosen, found};
}

/// Throws OutOfMemory if the GPU is too full. Where it fails otherwise, what is called next tells how.
void check_memory(const Gpu& gpu) {
  std::size_t free = 0;
  std::size_t total = 0;
  cudaError_t status = cudaSetDevice(gpu.index);
  if (status == cudaSuccess) status = cudaMemGetInfo(&free, &total);
  if (status == cudaSuccess) {
    cuda::require_memory(gpu.properties.name, static_cast<std::int64_t>(free),
                         static_cast<std::int64_t>(total));
  } else if (status == cudaErrorMemoryAllocation) {
    cuda::require_memory(gpu.properties.name, std::nullopt,
                         static_cast<std::int64_t>(gpu.properties.totalGlobalMem));
  }
}

std::string describe(const cudaDeviceProp& gpu) {
  return cat(gpu.name, " (", human_bytes(static_cast<double>(gpu.totalGlobalMem)), ", capability ", gpu.major,
             ".", gpu.minor, ", cuDNN ", cudnnGetVersion() / 10000, ".", cudnnGetVersion() % 10000 / 100,
             ")");
}

std::string identify(const cudaDeviceProp& gpu) {
  std::array<char, 16> uuid;
  std::copy(std::begin(gpu.uuid.bytes), std::end(gpu.uuid.bytes), uuid.begin());
  return cuda::gpu_identity(gpu.name, uuid);
}

std::unique_ptr<Device> start(const Gpu& gpu, const DeviceOptions& options) {
  cuda::check(cudaSetDevice(gpu.index), "set device");
  auto* const stream = static_cast<cudaStream_t>(start_gpu_session(gpu.index));
  kernel_self_test();
  CudaBodies bodies;
  bodies.choices = std::make_unique<cuda::Choices>(
      options.race_all ? "" : cuda::choices_path(gpu.properties.name), options.race_all);
  cuda::Choices* const choices = options.deterministic ? nullptr : bodies.choices.get();
  bodies.ops = std::make_unique<CudaOps>(
      stream, CudaOpsOptions{gpu.properties.multiProcessorCount, options.deterministic, choices});
  bodies.frame_ops = std::make_unique<CudaFrameOps>(stream, choices);
  bodies.text_ops = std::make_unique<CudaTextOps>(stream);
  return std::make_unique<CudaDevice>(std::move(bodies), stream, describe(gpu.properties),
                                      identify(gpu.properties));
}

std::unique_ptr<Device> open(const DeviceOptions& options) {
  if (options.reference) {
    throw ConfigError("", "the reference ops run on host memory: --reference needs the host device");
  }
  check_driver();
  check_libraries();
  const Gpu gpu = choose_gpu(options.index);
  check_memory(gpu);
  try {
    return start(gpu, options);
  } catch (...) {
    check_memory(gpu);  // another program may have filled it since, and Kokkos tells that only in words
    throw;
  }
}

}  // namespace
}  // namespace wan

extern "C" __attribute__((visibility("default"))) const wan::CpuFeatures wan_cpu_features = {false, false};

extern "C" __attribute__((visibility("default"))) void wan_open_device(const wan::DeviceOptions& options,
                                                                       wan::Device*& out) {
  out = wan::open(options).release();
}
