#include "runtime/signals.hpp"

#include <ctime>

namespace wan {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, &before_);
}

Signals::~Signals() {
  // What is still pending would end the process when it is let through.
  const sigset_t set = stop_signals();
  const timespec at_once{};
  while (sigtimedwait(&set, nullptr, &at_once) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool Signals::stop_asked() const noexcept {
  sigset_t pending;
  return sigpending(&pending) == 0 &&
         (sigismember(&pending, SIGUSR1) == 1 || sigismember(&pending, SIGTERM) == 1);
}

}  // namespace wan
