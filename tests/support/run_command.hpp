#pragma once
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"

namespace wan::test {

/// A child process in a process group of its own, with standard output and error in a file; killed with its
/// whole group if it still runs when this goes.
class Child {
 public:
  /// `words[0]` is looked up in PATH. `environment` is added to this process's.
  Child(const std::vector<std::string>& words, std::string output_file,
        const std::map<std::string, std::string>& environment = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Waits up to `limit_s` and returns the exit code (128 + number for a signal); -1 if it still runs.
  int wait(double limit_s);
  /// To every process of the session.
  void signal_all(int number) const;
  /// SIGKILL to every process of the session; returns when all are gone.
  void kill_all();

 private:
  /// For Open MPI's session files, which otherwise all jobs of a user share: a killed process leaves its own
  /// behind, and a later one with the same id then fails; and the end of one job takes away the folder in
  /// which another is about to make its own.
  TemporaryFolder sessions_;
  pid_t pid_;
  int code_ = -1;
};

struct CommandResult {
  int code = 0;
  /// Standard output and error together.
  std::string output;
};

/// Runs to the end, or kills after `limit_s` (code -1).
[[nodiscard]] CommandResult run_command(const std::vector<std::string>& words, double limit_s = 120,
                                        const std::map<std::string, std::string>& environment = {});

/// The words that start `program` on `ranks` ranks of this machine; the program alone for one rank.
[[nodiscard]] std::vector<std::string> on_ranks(int ranks, const std::vector<std::string>& program);

}  // namespace wan::test
