#include "base/worker.hpp"

#include <utility>

namespace wan {

Worker::Worker(std::size_t most_waiting) : most_waiting_(most_waiting), thread_([this] { work(); }) {}

Worker::~Worker() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stop_ = true;
    waiting_.clear();
    changed_.notify_all();
  }
  thread_.join();
}

void Worker::rethrow() const {
  if (failure_) std::rethrow_exception(failure_);
}

void Worker::add(std::function<void()> job) {
  std::unique_lock<std::mutex> guard(mutex_);
  changed_.wait(guard, [&] { return failure_ || waiting_.size() < most_waiting_; });
  rethrow();
  waiting_.push_back(std::move(job));
  changed_.notify_all();
}

void Worker::finish() {
  std::unique_lock<std::mutex> guard(mutex_);
  changed_.wait(guard, [&] { return failure_ || (waiting_.empty() && !running_); });
  rethrow();
}

void Worker::work() {
  std::unique_lock<std::mutex> guard(mutex_);
  for (;;) {
    changed_.wait(guard, [&] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    std::function<void()> job = std::move(waiting_.front());
    waiting_.pop_front();
    running_ = true;
    changed_.notify_all();
    guard.unlock();
    std::exception_ptr failure;
    try {
      job();
    } catch (...) {
      failure = std::current_exception();
    }
    job = nullptr;  // what it holds is given back before anybody learns that it is done
    guard.lock();
    running_ = false;
    if (failure) {
      failure_ = failure;
      waiting_.clear();
    }
    changed_.notify_all();
    if (failure_) return;
  }
}

}  // namespace wan
