#pragma once
#include <cuda_runtime_api.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/cuda/nccl_groups.hpp"
#include "device/device.hpp"
#include "device/frame_ops.hpp"
#include "device/ops.hpp"
#include "device/ops/cuda/choices.hpp"
#include "device/text_ops.hpp"

namespace wan {

/// The bodies that a GPU runs.
struct CudaBodies {
  std::unique_ptr<cuda::Choices> choices;  ///< the others' own
  std::unique_ptr<Ops> ops;
  std::unique_ptr<FrameOps> frame_ops;
  std::unique_ptr<TextOps> text_ops;
};

/// One GPU. Streams and events that it made live as long as it does; an event is a place in a ring and may be
/// waited for until `event_ring` further ones were recorded.
class CudaDevice final : public Device {
 public:
  /// `compute` is the stream that the ops run on; `identity` tells the GPU from all others.
  CudaDevice(CudaBodies bodies, cudaStream_t compute, std::string description, std::string identity);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  [[nodiscard]] DeviceKind kind() const override { return DeviceKind::cuda; }
  [[nodiscard]] std::string description() const override { return description_; }

  [[nodiscard]] std::optional<DeviceMemory> memory() const override;
  [[nodiscard]] void* allocate(std::int64_t bytes) override;
  void release(void* memory) noexcept override;
  [[nodiscard]] void* allocate_pinned(std::int64_t bytes) override;
  void release_pinned(void* memory) noexcept override;

  void copy(void* to, const void* from, std::int64_t bytes, Stream stream) override;
  void zero(void* memory, std::int64_t bytes, Stream stream) override;

  [[nodiscard]] Stream new_stream() override;
  [[nodiscard]] Event record(Stream stream) override;
  void wait(Stream stream, Event event) override;
  void synchronize(Stream stream) override;
  void await(Event event) override;
  [[nodiscard]] bool reached(Event event) override;

  /// NVTX's, and Kokkos Tools'.
  void begin_range(const char* name) override;
  void end_range() override;

  [[nodiscard]] DeviceGroups* groups() override { return &groups_; }
  [[nodiscard]] Ops& ops() override { return *bodies_.ops; }
  [[nodiscard]] FrameOps& frame_ops() override { return *bodies_.frame_ops; }
  [[nodiscard]] TextOps& text_ops() override { return *bodies_.text_ops; }

  static constexpr std::size_t event_ring = 1024;

 private:
  [[nodiscard]] cudaStream_t stream_of(Stream stream) const;
  /// The driver waits for the device before it frees. While an exception unwinds, what is under way between
  /// ranks may wait for peers that never come: it is given up.
  void let_device_rest() noexcept;

  CudaBodies bodies_;
  cudaStream_t compute_;
  int index_ = 0;
  std::string description_;
  NcclGroups groups_;
  std::vector<cudaStream_t> streams_;
  std::vector<cudaEvent_t> events_;
  std::size_t next_event_ = 0;
};

}  // namespace wan
