#pragma once
#include <cstdint>
#include <utility>

#include "device/device.hpp"

namespace wan {

/// Owns host memory that a device copies to and from without staging.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  PinnedBuffer(Device& device, std::int64_t bytes)
      : device_(&device), memory_(device.allocate_pinned(bytes)), bytes_(bytes) {}
  PinnedBuffer(PinnedBuffer&& other) noexcept { swap(other); }
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;
  ~PinnedBuffer() {
    if (memory_ != nullptr) device_->release_pinned(memory_);
  }

  [[nodiscard]] void* data() const { return memory_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  void swap(PinnedBuffer& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
  }

  Device* device_ = nullptr;
  void* memory_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace wan
