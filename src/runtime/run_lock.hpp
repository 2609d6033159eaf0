#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace wan {

/// Who holds a run folder. `job` is the scheduler's id or empty; `machine` tells hosts (and containers) apart
/// whose process ids mean different things.
struct LockOwner {
  std::string job;
  std::string host;
  std::string machine;
  std::int64_t pid = 0;
  std::string token;
};

/// This process: job id from SLURM_JOB_ID, host name, boot id and pid namespace, pid, and a token never used
/// before.
[[nodiscard]] LockOwner this_process();

struct LockOptions {
  /// How often the holder shows that it lives.
  double heartbeat_s = 5;
  /// A holder on another machine that shows nothing for this long is dead.
  double stale_s = 30;
  /// How long to wait for a living holder to leave: a killed process may take a while to end, held by its
  /// last write. One with the same job id (the job was requeued and the old processes are still ending) is
  /// waited for at least `same_job_wait_s`.
  double wait_s = 10;
  double same_job_wait_s = 60;
};

/// Exclusive use of a folder by one process, over the nodes of a cluster. The file holds the owner and a
/// counter that a thread advances; on top of it the file is flock'ed, which the kernel releases when a
/// process dies, so that on one machine (and on file systems with global locks) a dead owner is known at
/// once. The file stays when the lock goes.
class RunLock {
 public:
  /// Throws Error (requeue) naming the living owner, CreateError or IoError if the file cannot be made.
  RunLock(std::string file, LockOwner self, const LockOptions& options);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// True when another process took the lock over (this one was stopped for longer than `stale_s`): write no
  /// more.
  [[nodiscard]] bool lost() const;

 private:
  void keep();
  void write_line(std::int64_t beat) const;

  std::string file_;
  LockOwner self_;
  LockOptions options_;
  int descriptor_ = -1;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool lost_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace wan
