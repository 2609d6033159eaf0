#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "device/pinned_buffer.hpp"

namespace wan {

/// Pinned memory for the moments of some clips at a time: the device fills one while the host reads another.
class MomentsPool {
 public:
  MomentsPool(Device& device, std::size_t clips) : device_(device), buffers_(clips), taken_(clips) {}

  /// Room for `bytes` until the last copy of the pointer goes, on any thread; waits until one of the clips'
  /// places is free. For the device's thread.
  [[nodiscard]] std::shared_ptr<float> take(std::int64_t bytes);

 private:
  void give_back(std::size_t place);

  Device& device_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<PinnedBuffer> buffers_;
  std::vector<bool> taken_;
};

}  // namespace wan
