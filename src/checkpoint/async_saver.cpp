#include "checkpoint/async_saver.hpp"

#include <chrono>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "checkpoint/save.hpp"

namespace wan::checkpoint {

AsyncSaver::AsyncSaver(const Communicator& world, std::string run, const Retention& retention,
                       Watchdog& watchdog, double limit_s, int threads)
    : world_(world),
      background_(world.duplicate(Waiting::patient)),
      run_(std::move(run)),
      retention_(retention),
      watchdog_(watchdog),
      limit_s_(limit_s),
      threads_(threads) {}

AsyncSaver::~AsyncSaver() {
  if (thread_.joinable()) thread_.join();
}

std::optional<SaveReport> AsyncSaver::start(Snapshot snapshot) {
  std::optional<SaveReport> before = wait();
  ended_ = false;
  report_ = {};
  report_.step = snapshot.step;
  thread_ = std::thread([this, snapshot = std::move(snapshot)] {
    const Watchdog::Watch watch(watchdog_, "checkpoint writer", limit_s_);
    const auto begin = std::chrono::steady_clock::now();
    report_.outcome = save(background_, run_, snapshot, retention_, threads_);
    report_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    ended_ = true;
  });
  return before;
}

std::optional<SaveReport> AsyncSaver::poll() {
  if (!thread_.joinable() || min_over(world_, std::int64_t{ended_ ? 1 : 0}) == 0) return std::nullopt;
  return take();
}

std::optional<SaveReport> AsyncSaver::wait() {
  if (!thread_.joinable()) return std::nullopt;
  return take();
}

std::optional<SaveReport> AsyncSaver::take() {
  thread_.join();
  return report_;
}

}  // namespace wan::checkpoint
