#include "runtime/watchdog.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

using Clock = std::chrono::steady_clock;

struct Watchdog::State {
  std::string section;
  double limit_s = 0;
  Clock::time_point last_sign;
};

Watchdog::Watchdog(Alarm alarm) : alarm_(std::move(alarm)), thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watchdog::watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!ending_) {
    double pause_s = 3600;
    const Clock::time_point now = Clock::now();
    for (State& state : states_) {
      if (state.limit_s <= 0) continue;
      const double silent_s = std::chrono::duration<double>(now - state.last_sign).count();
      if (silent_s >= state.limit_s) {
        alarm_(state.section, silent_s);
        state.last_sign = now;
      }
      pause_s = std::min(pause_s, std::max(state.limit_s - silent_s, 0.001));
    }
    changed_.wait_for(lock, std::chrono::duration<double>(pause_s));
  }
}

Watchdog::Watch::Watch(Watchdog& dog, std::string section, double limit_s) : dog_(dog) {
  const std::lock_guard<std::mutex> lock(dog_.mutex_);
  state_ = dog_.states_.insert(dog_.states_.end(), State{std::move(section), limit_s, Clock::now()});
  dog_.changed_.notify_all();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard<std::mutex> lock(dog_.mutex_);
  dog_.states_.erase(state_);
}

void Watchdog::Watch::enter(const std::string& section) {
  const std::lock_guard<std::mutex> lock(dog_.mutex_);
  state_->section = section;
  state_->last_sign = Clock::now();
}

void Watchdog::Watch::enter(const std::string& section, double limit_s) {
  const std::lock_guard<std::mutex> lock(dog_.mutex_);
  *state_ = State{section, limit_s, Clock::now()};
  dog_.changed_.notify_all();
}

void Watchdog::Watch::beat() {
  const std::lock_guard<std::mutex> lock(dog_.mutex_);
  state_->last_sign = Clock::now();
}

Watchdog::Alarm exit_on_hang(int rank, std::string host) {
  return [rank, host = std::move(host)](const std::string& section, double silent_s) {
    const std::string line =
        cat("watchdog: rank ", rank, " on ", host, " showed no progress in section '", section, "' for ",
            static_cast<long>(silent_s), " s; the process ends with exit code 80\n");
    // Not through the log: its lock may be held by the thread that hangs.
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) ::_exit(static_cast<int>(ExitCode::watchdog));
    ::_exit(static_cast<int>(ExitCode::watchdog));
  };
}

}  // namespace wan
