#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "runtime/run_lock.hpp"
#include "runtime/runtime.hpp"

namespace wan {

/// The folder a run writes to, held for its lifetime: created, locked against other jobs by rank 0, with
/// log/rankN.txt open on every rank and a line of provenance.jsonl for this start.
class RunFolder {
 public:
  /// Collective. On all ranks: CreateError's code if it cannot be made, exit code 75 if another job holds it.
  RunFolder(Runtime& runtime, std::string path, const std::vector<std::string>& command_line,
            const LockOptions& options = {});

  [[nodiscard]] const std::string& path() const { return path_; }
  /// A file or folder inside it.
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// True at most once a second: when it is time to look for files again (a parallel file system is slow to
  /// say no).
  [[nodiscard]] bool time_to_look();
  /// Rank 0: whether another process took the folder over. False on other ranks.
  [[nodiscard]] bool lost() const { return lock_ != nullptr && lock_->lost(); }

 private:
  std::string path_;
  std::unique_ptr<RunLock> lock_;
  std::chrono::steady_clock::time_point last_look_{};
};

/// What a running job has been asked to do, agreed on by all ranks.
struct Requests {
  /// SIGUSR1 or SIGTERM on any rank: finish the step, save, exit 75.
  bool stop_by_signal = false;
  /// The file STOP in the run folder, removed when seen: finish the step, save, end.
  bool stop_by_file = false;
  /// The file SAVE_NOW, removed when seen: save and go on.
  bool save = false;
  /// The folder's lock was lost: end without writing.
  bool folder_lost = false;
  [[nodiscard]] bool stop() const { return stop_by_signal || stop_by_file || folder_lost; }
};

/// Once a step. Collective over the world; one small all_reduce. Files are looked for at most once a second.
[[nodiscard]] Requests poll_requests(const Runtime& runtime, RunFolder& folder);

}  // namespace wan
