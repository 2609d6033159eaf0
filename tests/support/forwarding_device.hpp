#pragma once
#include "device/device.hpp"

namespace wan::test {

/// Another device under a new name; tests override what they want to differ.
class ForwardingDevice : public Device {
 public:
  explicit ForwardingDevice(Device& device) : device_(device) {}

  [[nodiscard]] DeviceKind kind() const override { return device_.kind(); }
  [[nodiscard]] std::string description() const override { return device_.description(); }
  [[nodiscard]] std::optional<DeviceMemory> memory() const override { return device_.memory(); }

  [[nodiscard]] void* allocate(std::int64_t bytes) override { return device_.allocate(bytes); }
  void release(void* memory) noexcept override { device_.release(memory); }
  [[nodiscard]] void* allocate_pinned(std::int64_t bytes) override { return device_.allocate_pinned(bytes); }
  void release_pinned(void* memory) noexcept override { device_.release_pinned(memory); }

  void copy(void* to, const void* from, std::int64_t bytes, Stream stream) override {
    device_.copy(to, from, bytes, stream);
  }
  void zero(void* memory, std::int64_t bytes, Stream stream) override { device_.zero(memory, bytes, stream); }

  [[nodiscard]] Stream new_stream() override { return device_.new_stream(); }
  [[nodiscard]] Event record(Stream stream) override { return device_.record(stream); }
  void wait(Stream stream, Event event) override { device_.wait(stream, event); }
  void synchronize(Stream stream) override { device_.synchronize(stream); }
  void await(Event event) override { device_.await(event); }
  [[nodiscard]] bool reached(Event event) override { return device_.reached(event); }
  void begin_range(const char* name) override { device_.begin_range(name); }
  void end_range() override { device_.end_range(); }

  [[nodiscard]] DeviceGroups* groups() override { return device_.groups(); }
  [[nodiscard]] Ops& ops() override { return device_.ops(); }
  [[nodiscard]] FrameOps& frame_ops() override { return device_.frame_ops(); }
  [[nodiscard]] TextOps& text_ops() override { return device_.text_ops(); }

 private:
  Device& device_;
};

}  // namespace wan::test
