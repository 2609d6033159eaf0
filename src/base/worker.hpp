#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace wan {

/// Runs jobs one after the other, in order, on a thread of its own.
class Worker {
 public:
  /// `most_waiting` jobs may wait behind the one that runs.
  explicit Worker(std::size_t most_waiting);
  /// Jobs that still wait are dropped; the one that runs is waited for.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Waits for room. After a job has thrown, no other is run, and this and finish() throw the same.
  void add(std::function<void()> job);
  /// Waits until all jobs are done.
  void finish();

 private:
  void work();
  void rethrow() const;

  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool running_ = false;
  bool stop_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace wan
