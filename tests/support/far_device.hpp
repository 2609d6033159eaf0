#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "comm/communicator.hpp"
#include "device/device_groups.hpp"
#include "support/forwarding_device.hpp"

namespace wan::test {

/// Another device, of host memory, that behaves as one with memory of its own: it joins groups, and their
/// operations run, reading arguments and writing results, only when something waits for them.
class FarDevice final : public ForwardingDevice {
 public:
  /// `world` carries the groups' data: all its ranks join at the same time, in whatever groups. It must not
  /// be used for anything else that moves data while operations are under way.
  FarDevice(Device& device, Communicator world, std::string identity);
  ~FarDevice() override;
  FarDevice(const FarDevice&) = delete;
  FarDevice& operator=(const FarDevice&) = delete;

  [[nodiscard]] void* allocate(std::int64_t bytes) override;
  void release(void* memory) noexcept override;
  void wait(Stream stream, Event event) override;
  [[nodiscard]] DeviceGroups* groups() override;

  /// Operations started, and of these the ones that ran.
  [[nodiscard]] std::int64_t started() const { return started_; }
  [[nodiscard]] std::int64_t ended() const { return started_ - static_cast<std::int64_t>(waiting_.size()); }
  [[nodiscard]] int aborted() const { return aborted_; }

 private:
  class Groups;
  class Collectives;

  Event start(std::function<void()> operation);

  std::unique_ptr<Groups> groups_;
  std::map<const void*, std::int64_t> memory_;
  std::deque<std::function<void()>> waiting_;
  std::int64_t started_ = 0;
  int aborted_ = 0;
};

}  // namespace wan::test
