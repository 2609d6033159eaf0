#include "base/workers.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace wan {
namespace {

/// Less takes a thread about as long as starting it does.
constexpr std::int64_t bytes_worth_a_thread = std::int64_t{8} << 20;

}  // namespace

int workers_for(std::int64_t bytes, int threads) {
  return static_cast<int>(std::clamp<std::int64_t>(bytes / bytes_worth_a_thread, 1, std::max(threads, 1)));
}

int workers_for(std::int64_t bytes) {
  return workers_for(bytes, static_cast<int>(std::thread::hardware_concurrency()));
}

void run_jobs(int workers, std::size_t count, const std::function<void(std::size_t, std::size_t)>& job) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&](std::size_t worker) {
    try {
      for (std::size_t i = next++; i < count; i = next++) job(i, worker);
    } catch (...) {
      next = count;
      const std::lock_guard<std::mutex> guard(mutex);
      if (failure == nullptr) failure = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (int worker = 1; worker < workers; ++worker)
    threads.emplace_back(work, static_cast<std::size_t>(worker));
  work(0);
  for (std::thread& thread : threads) thread.join();
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace wan
