#pragma once
#include <signal.h>

namespace wan {

/// While it lives, SIGUSR1 (time limit ahead) and SIGTERM stay pending, and whoever runs the loop asks for
/// them. There is no handler: oneDNN's sgemm kernels point the stack register at a buffer on the heap while
/// they run, and the frame of a signal delivered then would overwrite what lies below it. Made before any
/// other thread, so that all inherit the mask. At most one exists at a time.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Whether either signal has arrived since construction.
  [[nodiscard]] bool stop_asked() const noexcept;

 private:
  sigset_t before_{};
};

}  // namespace wan
