#pragma once
#include <memory>
#include <string>

#include "device/device.hpp"

namespace wan {

/// What WAN_DEVICE says (host or cuda), else what this build is for. Throws ConfigError on another value.
[[nodiscard]] DeviceKind default_device_kind();

struct DeviceOptions {
  DeviceKind kind = default_device_kind();
  /// Which of the GPUs that this process sees (cuda), modulo their number: the rank's place on its machine.
  int index = 0;
  /// Threads for host ops; 0 lets the body choose.
  int threads = 0;
  /// Every run gives the same bits (cuda; the host's do without asking), at the cost of some speed.
  bool deterministic = false;
  /// Every op by its slow reference (tests).
  bool reference = false;
  /// The fastest library kernel is sought for problems of any size, and not kept on disk (cuda; tests).
  bool race_all = false;
};

/// Loads the body (libwan_device_host.so, libwan_device_cuda.so, found beside the program or in ../lib), runs
/// its self-test and returns it. At most one device is open per process. Throws CommError when the library
/// cannot be loaded, naming what is missing, OutOfMemory when the GPU is full, and InternalError when the
/// self-test computes a wrong answer.
[[nodiscard]] std::unique_ptr<Device> open_device(const DeviceOptions& options);

}  // namespace wan
