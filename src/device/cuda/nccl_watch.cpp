#include "device/cuda/nccl_watch.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "device/cuda/nccl_collectives.hpp"

namespace wan {
namespace {

/// Short against a step, long against a query; the rank's other threads get the core in between.
constexpr std::chrono::microseconds pause(20);
constexpr std::chrono::milliseconds between_looks(5);
using Clock = std::chrono::steady_clock;

}  // namespace

void NcclWatch::add(NcclCollectives& group) {
  const std::lock_guard<std::mutex> lock(mutex_);
  groups_.push_back(&group);
}

void NcclWatch::remove(NcclCollectives& group) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  groups_.erase(std::remove(groups_.begin(), groups_.end(), &group), groups_.end());
}

bool NcclWatch::empty() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return groups_.empty();
}

cudaError_t NcclWatch::wait(const std::function<cudaError_t()>& query) {
  for (auto next_look = Clock::now() + between_looks;;) {
    const cudaError_t status = query();
    if (status != cudaErrorNotReady) return status;
    cudaGetLastError();  // else the next kernel's check would find it
    if (Clock::now() >= next_look) {
      look();
      next_look = Clock::now() + between_looks;
    }
    std::this_thread::sleep_for(pause);
  }
}

void NcclWatch::look() {
  try {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (NcclCollectives* group : groups_) group->require_health();
  } catch (...) {
    abort_all();
    throw;
  }
}

void NcclWatch::abort_all() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (NcclCollectives* group : groups_) group->abort();
}

}  // namespace wan
