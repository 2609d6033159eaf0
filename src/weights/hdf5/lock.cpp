#include "weights/hdf5/lock.hpp"

#include <hdf5.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace wan::hdf5 {
namespace {

/// A recursive ticket lock: std::mutex lets a thread that unlocks and locks in a loop starve the others.
class TicketLock {
 public:
  TicketLock() {
    // Files are closed by their owners; HDF5's own clean-up at exit would run after MPI has ended.
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }

  void lock() {
    std::unique_lock<std::mutex> guard(mutex_);
    if (depth_ > 0 && owner_ == std::this_thread::get_id()) {
      ++depth_;
      return;
    }
    const std::uint64_t ticket = next_ticket_++;
    turn_.wait(guard, [&] { return depth_ == 0 && serving_ == ticket; });
    owner_ = std::this_thread::get_id();
    depth_ = 1;
  }

  void unlock() {
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      if (--depth_ > 0) return;
      ++serving_;
    }
    turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  std::thread::id owner_;
  int depth_ = 0;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t serving_ = 0;
};

TicketLock& process_lock() {
  static TicketLock lock;
  return lock;
}

}  // namespace

Lock::Lock() {
  process_lock().lock();
}
Lock::~Lock() {
  process_lock().unlock();
}

}  // namespace wan::hdf5
