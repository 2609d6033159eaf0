#pragma once
#include <memory>
#include <string>

#include "device/device.hpp"
#include "device/frame_ops.hpp"
#include "device/ops.hpp"
#include "device/ops/kokkos/region.hpp"
#include "device/text_ops.hpp"

namespace wan {

/// The bodies that a host device runs.
struct HostBodies {
  std::unique_ptr<Ops> ops;
  std::unique_ptr<FrameOps> frame_ops;
  std::unique_ptr<TextOps> text_ops;
};

/// Ordinary memory and ops that run where they are called: every stream is empty at all times. Frees the
/// memory that `allocate` handed out only through `release`.
class HostDevice final : public Device {
 public:
  HostDevice(HostBodies bodies, std::string description)
      : bodies_(std::move(bodies)), description_(std::move(description)) {}

  [[nodiscard]] DeviceKind kind() const override { return DeviceKind::host; }
  [[nodiscard]] std::string description() const override { return description_; }

  [[nodiscard]] void* allocate(std::int64_t bytes) override;
  void release(void* memory) noexcept override;
  [[nodiscard]] void* allocate_pinned(std::int64_t bytes) override { return allocate(bytes); }
  void release_pinned(void* memory) noexcept override { release(memory); }

  void copy(void* to, const void* from, std::int64_t bytes, Stream stream) override;
  void zero(void* memory, std::int64_t bytes, Stream stream) override;

  [[nodiscard]] Stream new_stream() override { return {}; }
  [[nodiscard]] Event record(Stream) override { return {}; }
  void wait(Stream, Event) override {}
  void synchronize(Stream) override {}

  void begin_range(const char* name) override { begin_region(name); }
  void end_range() override { end_region(); }

  [[nodiscard]] Ops& ops() override { return *bodies_.ops; }
  [[nodiscard]] FrameOps& frame_ops() override { return *bodies_.frame_ops; }
  [[nodiscard]] TextOps& text_ops() override { return *bodies_.text_ops; }

 private:
  HostBodies bodies_;
  std::string description_;
};

}  // namespace wan
