#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "support/forwarding_device.hpp"

namespace wan::test {

/// A host device that behaves as one whose work is done late: what it copies to pinned memory arrives there,
/// instead of a pattern of ones, only when the host waits for an event recorded after the copy; what it
/// copies from pinned memory must stand there unchanged until then. Counts what a step in its stride must not
/// do.
class LateDevice final : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;

  struct Counts {
    std::int64_t allocations = 0;
    std::int64_t synchronizations = 0;
    /// Waits for an event behind which no further losses were on their way: the device would have run dry.
    std::int64_t idle_waits = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }
  /// Copies from pinned memory whose source was overwritten too early.
  [[nodiscard]] std::int64_t overwritten() const { return overwritten_; }

  [[nodiscard]] void* allocate(std::int64_t bytes) override;
  [[nodiscard]] void* allocate_pinned(std::int64_t bytes) override;
  void release_pinned(void* memory) noexcept override;
  void copy(void* to, const void* from, std::int64_t bytes, Stream stream) override;
  [[nodiscard]] Event record(Stream stream) override;
  void synchronize(Stream stream) override;
  void await(Event event) override;
  [[nodiscard]] bool reached(Event event) override;

 private:
  /// A copy that has not been seen to be done; `number` is that of the next event.
  struct Copy {
    std::uintptr_t number;
    std::byte* pinned;
    bool to_pinned;
    std::vector<std::byte> content;
  };

  [[nodiscard]] bool is_pinned(const void* memory);
  void finish(std::uintptr_t number);

  std::mutex mutex_;  ///< pinned memory is taken from any thread
  Counts counts_;
  std::int64_t overwritten_ = 0;
  std::map<const std::byte*, std::int64_t> pinned_;
  std::vector<Copy> copies_;
  std::uintptr_t recorded_ = 0;  ///< number of the last event
  std::uintptr_t done_ = 0;      ///< number of the last event that the host has waited for
};

}  // namespace wan::test
