#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tensor/tensor.hpp"

namespace wan {

class DeviceGroups;
class FrameOps;
class Ops;
class TextOps;

/// A queue of work on a device. The default value is the compute stream, on which all ops run in call order.
struct Stream {
  void* handle = nullptr;
};

/// A point in a stream that another stream, or the host, can wait for.
struct Event {
  void* handle = nullptr;
};

enum class DeviceKind { host, cuda };

/// Bytes of a device's memory, and those that nobody uses now.
struct DeviceMemory {
  std::int64_t free = 0;
  std::int64_t total = 0;
};

/// One rank's compute device: memory, streams and ops. Bodies live in shared objects that open_device loads,
/// so that programs start where no driver is installed. All calls come from one thread unless a call says
/// otherwise.
class Device {
 public:
  virtual ~Device() = default;

  [[nodiscard]] virtual DeviceKind kind() const = 0;
  /// For logs: "host (1 thread, oneDNN 2.6)", "NVIDIA H100 80GB HBM3".
  [[nodiscard]] virtual std::string description() const = 0;

  /// None where device memory is the host's own.
  [[nodiscard]] virtual std::optional<DeviceMemory> memory() const { return std::nullopt; }

  /// Device memory, aligned to at least 256 bytes, content undefined. Throws Error (comm) naming the bytes
  /// asked for and those free.
  [[nodiscard]] virtual void* allocate(std::int64_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  /// Host memory that the device copies from and to without staging; on the host, ordinary memory. From any
  /// thread.
  [[nodiscard]] virtual void* allocate_pinned(std::int64_t bytes) = 0;
  virtual void release_pinned(void* memory) noexcept = 0;

  /// Asynchronous on `stream`; either side may be device or host memory. Host memory that is not pinned may
  /// make the call wait.
  virtual void copy(void* to, const void* from, std::int64_t bytes, Stream stream = {}) = 0;
  /// Sets every byte to zero, asynchronous on `stream`.
  virtual void zero(void* memory, std::int64_t bytes, Stream stream = {}) = 0;

  /// A further stream, owned by the device.
  [[nodiscard]] virtual Stream new_stream() = 0;
  [[nodiscard]] virtual Event record(Stream stream = {}) = 0;
  virtual void wait(Stream stream, Event event) = 0;
  /// The host waits until `stream` is empty.
  virtual void synchronize(Stream stream = {}) = 0;
  /// The host waits for `event`, or for more than it.
  virtual void await([[maybe_unused]] Event event) { synchronize(); }
  /// Whether what `event` marks is done. Does not wait.
  [[nodiscard]] virtual bool reached([[maybe_unused]] Event event) { return true; }

  /// A named stretch of the calling thread's calls, for profilers; they nest.
  virtual void begin_range([[maybe_unused]] const char* name) {}
  virtual void end_range() {}

  /// How devices of several ranks meet (device_groups.hpp); null where device memory is the host's own.
  [[nodiscard]] virtual DeviceGroups* groups() { return nullptr; }

  [[nodiscard]] virtual Ops& ops() = 0;
  /// Of the video autoencoder and of the text encoder: apart, since few callers need them.
  [[nodiscard]] virtual FrameOps& frame_ops() = 0;
  [[nodiscard]] virtual TextOps& text_ops() = 0;
};

/// A named stretch of calls, from here to the end of the block.
class DeviceRange {
 public:
  DeviceRange(Device& device, const char* name) : device_(device) { device_.begin_range(name); }
  ~DeviceRange() { device_.end_range(); }
  DeviceRange(const DeviceRange&) = delete;
  DeviceRange& operator=(const DeviceRange&) = delete;

 private:
  Device& device_;
};

/// Owns one allocation of a device.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(Device& device, std::int64_t bytes)
      : device_(&device), memory_(device.allocate(bytes)), bytes_(bytes) {}
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  ~DeviceBuffer() {
    if (memory_ != nullptr) device_->release(memory_);
  }

  [[nodiscard]] void* data() const { return memory_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  void swap(DeviceBuffer& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
  }

  Device* device_ = nullptr;
  void* memory_ = nullptr;
  std::int64_t bytes_ = 0;
};

/// A dense tensor with memory of its own on a device.
struct DeviceTensor {
  DeviceTensor() = default;
  DeviceTensor(Device& device, DType dtype, const Shape& shape)
      : buffer(device, shape.elements() * bytes_of(dtype)), view(buffer.data(), dtype, shape) {}

  DeviceBuffer buffer;
  Tensor view;
};

}  // namespace wan
