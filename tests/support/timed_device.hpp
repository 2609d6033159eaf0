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

/// A device that passes everything on and, while it is asked to measure, waits for each op and counts how
/// long it takes, by name and shape.
class TimedDevice final : public Device {
 public:
  explicit TimedDevice(Device& device);
  ~TimedDevice() override;

  [[nodiscard]] const std::map<std::string, OpTime>& times() const { return times_; }
  void clear() { times_.clear(); }
  /// At first it measures. What was built on this device stays valid either way.
  void measure(bool on) { measuring_ = on; }
  /// Milliseconds per step of the ops that are one library kernel each: products, attention, convolutions.
  [[nodiscard]] double library_ms(std::int64_t steps) const;
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
  [[nodiscard]] FrameOps& frame_ops() override;
  [[nodiscard]] TextOps& text_ops() override;

 private:
  class TimedOps;
  class TimedFrameOps;
  class TimedTextOps;

  /// Calls `body`, and counts it under the name that `name` makes if this device measures.
  template <class Name, class Body>
  void call(const Name& name, const Body& body);

  Device& device_;
  bool measuring_ = true;
  std::map<std::string, OpTime> times_;
  std::unique_ptr<TimedOps> ops_;
  std::unique_ptr<TimedFrameOps> frame_ops_;
  std::unique_ptr<TimedTextOps> text_ops_;
};

}  // namespace wan::test
