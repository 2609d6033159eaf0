#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "device/device.hpp"

namespace wan::test {

/// Calls and seconds of one op with one shape: CPU time on the host, wall time on a GPU.
struct OpTime {
  std::int64_t calls = 0;
  double seconds = 0;
};

/// A device that passes everything on and measures how long each op takes, by name and shape, waiting
/// for each.
class TimedDevice final : public Device {
 public:
  explicit TimedDevice(Device& device);
  ~TimedDevice() override;

  [[nodiscard]] const std::map<std::string, OpTime>& times() const { return times_; }
  void clear() { times_.clear(); }
  /// One line per op, the slowest first: milliseconds per step, calls per step, name and shape.
  void print(std::int64_t steps) const;

  [[nodiscard]] DeviceKind kind() const override { return device_.kind(); }
  [[nodiscard]] std::string description() const override { return device_.description(); }
  [[nodiscard]] std::optional<DeviceMemory> memory() const override { return device_.memory(); }
  [[nodiscard]] void* allocate(std::int64_t bytes) override { return device_.allocate(bytes); }
  void release(void* memory) noexcept override { device_.release(memory); }
  [[nodiscard]] void* allocate_pinned(std::int64_t bytes) override { return device_.allocate_pinned(bytes); }
  void release_pinned(void* memory) noexcept override { device_.release_pinned(memory); }
  void copy(void* to, const void* from, std::int64_t bytes, Stream stream) override;
  void zero(void* memory, std::int64_t bytes, Stream stream) override;
  [[nodiscard]] Stream new_stream() override { return device_.new_stream(); }
  [[nodiscard]] Event record(Stream stream) override { return device_.record(stream); }
  void wait(Stream stream, Event event) override { device_.wait(stream, event); }
  void synchronize(Stream stream) override { device_.synchronize(stream); }
  void await(Event event) override { device_.await(event); }
  [[nodiscard]] bool reached(Event event) override { return device_.reached(event); }
  [[nodiscard]] Ops& ops() override;
  [[nodiscard]] FrameOps& frame_ops() override { return device_.frame_ops(); }
  [[nodiscard]] TextOps& text_ops() override { return device_.text_ops(); }

 private:
  class TimedOps;

  Device& device_;
  std::map<std::string, OpTime> times_;
  std::unique_ptr<TimedOps> ops_;
};

}  // namespace wan::test
