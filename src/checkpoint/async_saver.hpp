#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "checkpoint/retention.hpp"
#include "checkpoint/snapshot.hpp"
#include "comm/agree.hpp"
#include "runtime/watchdog.hpp"

namespace wan::checkpoint {

/// How a save ended; the same on all ranks.
struct SaveReport {
  std::int64_t step = 0;
  Outcome outcome;
  double seconds = 0;
};

/// Saves on a background thread with a communicator of its own, one at a time, while training goes on. A
/// failed save is a report: however many there are, going on loses less than ending does.
class AsyncSaver {
 public:
  /// Collective. `limit_s`: the watchdog ends the process when a save takes longer; 0 for no limit. `threads`
  /// as in save().
  AsyncSaver(const Communicator& world, std::string run, const Retention& retention, Watchdog& watchdog,
             double limit_s, int threads = 1);
  /// Waits for a save under way, on every rank.
  ~AsyncSaver();
  AsyncSaver(const AsyncSaver&) = delete;
  AsyncSaver& operator=(const AsyncSaver&) = delete;

  /// Begins to save. If one is under way, waits for it first and returns its report. Collective.
  std::optional<SaveReport> start(Snapshot snapshot);
  /// The report of a save that has ended on all ranks since the last call. Collective, one small all_reduce
  /// when a save is under way, else none.
  std::optional<SaveReport> poll();
  /// Waits for the save under way, if any.
  std::optional<SaveReport> wait();

 private:
  std::optional<SaveReport> take();

  Communicator world_;
  Communicator background_;
  std::string run_;
  Retention retention_;
  Watchdog& watchdog_;
  double limit_s_;
  int threads_;
  std::thread thread_;
  std::atomic<bool> ended_{false};
  SaveReport report_;
};

}  // namespace wan::checkpoint
