#include "device/cuda/cuda_device.hpp"

#include <nvtx3/nvToolsExt.h>

#include <algorithm>
#include <exception>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/cuda/memory.hpp"
#include "device/ops/cuda/status.hpp"
#include "device/ops/kokkos/region.hpp"

namespace wan {

CudaDevice::CudaDevice(CudaBodies bodies, cudaStream_t compute, std::string description, std::string identity)
    : bodies_(std::move(bodies)),
      compute_(compute),
      description_(std::move(description)),
      groups_(compute, std::move(identity)) {
  cuda::check(cudaGetDevice(&index_), "device");
}

CudaDevice::~CudaDevice() {
  let_device_rest();
  cudaDeviceSynchronize();
  for (cudaEvent_t event : events_) cudaEventDestroy(event);
  for (cudaStream_t stream : streams_) cudaStreamDestroy(stream);
}

cudaStream_t CudaDevice::stream_of(Stream stream) const {
  return stream.handle == nullptr ? compute_ : static_cast<cudaStream_t>(stream.handle);
}

std::optional<DeviceMemory> CudaDevice::memory() const {
  std::size_t free = 0;
  std::size_t total = 0;
  cuda::check(cudaMemGetInfo(&free, &total), "memory");
  return DeviceMemory{static_cast<std::int64_t>(free), static_cast<std::int64_t>(total)};
}

void* CudaDevice::allocate(std::int64_t bytes) {
  return cuda::allocate(bytes);
}

void CudaDevice::let_device_rest() noexcept {
  if (std::uncaught_exceptions() > 0) groups_.watch().abort_all();
}

void CudaDevice::release(void* memory) noexcept {
  let_device_rest();
  cudaFree(memory);
}

void* CudaDevice::allocate_pinned(std::int64_t bytes) {
  cuda::check(cudaSetDevice(index_), "device");  // a new thread begins with the first one
  void* memory = nullptr;
  const cudaError_t status =
      bytes < 0 ? cudaErrorMemoryAllocation
                : cudaMallocHost(&memory, std::max<std::size_t>(static_cast<std::size_t>(bytes), 1));
  if (status == cudaSuccess) return memory;
  cudaGetLastError();
  throw CommError(cat("the host has no ", human_bytes(static_cast<double>(bytes)),
                      " of pinned memory: ", cudaGetErrorString(status)));
}

void CudaDevice::release_pinned(void* memory) noexcept {
  cudaFreeHost(memory);
}

void CudaDevice::copy(void* to, const void* from, std::int64_t bytes, Stream stream) {
  if (bytes <= 0) return;
  cuda::check(
      cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault, stream_of(stream)),
      "copy");
}

void CudaDevice::zero(void* memory, std::int64_t bytes, Stream stream) {
  if (bytes <= 0) return;
  cuda::check(cudaMemsetAsync(memory, 0, static_cast<std::size_t>(bytes), stream_of(stream)), "zero");
}

Stream CudaDevice::new_stream() {
  cudaStream_t stream = nullptr;
  cuda::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "new_stream");
  streams_.push_back(stream);
  return {stream};
}

Event CudaDevice::record(Stream stream) {
  if (events_.size() < event_ring) {
    cudaEvent_t event = nullptr;
    cuda::check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "record");
    events_.push_back(event);
  }
  cudaEvent_t event = events_[next_event_ % event_ring];
  ++next_event_;
  cuda::check(cudaEventRecord(event, stream_of(stream)), "record");
  return {event};
}

void CudaDevice::wait(Stream stream, Event event) {
  if (event.handle == nullptr) return;
  cuda::check(cudaStreamWaitEvent(stream_of(stream), static_cast<cudaEvent_t>(event.handle), 0), "wait");
}

void CudaDevice::synchronize(Stream stream) {
  cudaStream_t of = stream_of(stream);
  NcclWatch& watch = groups_.watch();
  cuda::check(watch.empty() ? cudaStreamSynchronize(of) : watch.wait([&] { return cudaStreamQuery(of); }),
              "synchronize");
}

void CudaDevice::await(Event event) {
  auto* const point = static_cast<cudaEvent_t>(event.handle);
  if (point == nullptr) return;
  NcclWatch& watch = groups_.watch();
  cuda::check(watch.empty() ? cudaEventSynchronize(point) : watch.wait([&] { return cudaEventQuery(point); }),
              "await");
}

bool CudaDevice::reached(Event event) {
  if (event.handle == nullptr) return true;
  const cudaError_t status = cudaEventQuery(static_cast<cudaEvent_t>(event.handle));
  if (status == cudaErrorNotReady) return false;
  cuda::check(status, "reached");
  return true;
}

void CudaDevice::begin_range(const char* name) {
  nvtxRangePushA(name);
  begin_region(name);
}

void CudaDevice::end_range() {
  end_region();
  nvtxRangePop();
}

}  // namespace wan
