#pragma once
#include <cstdint>

#include "device/pinned_buffer.hpp"

namespace wan {

/// Pinned memory in which the host lays out what goes to a device, so that the copies need not wait for what
/// the device is at. Used over and over: begin() waits only for the copies made from it before.
class Staging {
 public:
  Staging() = default;
  Staging(Device& device, std::int64_t bytes) : device_(&device), memory_(device, bytes) {}

  /// The memory is free to be written.
  void begin() {
    if (in_use_) device_->await(copied_);
    in_use_ = false;
  }
  /// From byte `offset` on.
  template <class Value>
  [[nodiscard]] Value* at(std::int64_t offset) const {
    return reinterpret_cast<Value*>(static_cast<char*>(memory_.data()) + offset);
  }
  /// After the last copy from it.
  void end() {
    copied_ = device_->record();
    in_use_ = true;
  }

 private:
  Device* device_ = nullptr;
  PinnedBuffer memory_;
  Event copied_;
  bool in_use_ = false;
};

}  // namespace wan
