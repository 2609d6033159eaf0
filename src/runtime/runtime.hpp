#pragma once
#include <memory>
#include <string>

#include "comm/agree.hpp"
#include "comm/communicator.hpp"
#include "runtime/signals.hpp"
#include "runtime/watchdog.hpp"

namespace wan {

/// The program's world by RAII: signal flags, MPI (also without a launcher, as one rank), ranks, log prefix,
/// watchdog. One exists per process, made first and destroyed last; everything that holds communicators lives
/// inside it.
class Runtime {
 public:
  /// Throws CommError if MPI has no MPI_THREAD_MULTIPLE. Collective.
  Runtime();
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[nodiscard]] const Communicator& world() const { return world_; }
  [[nodiscard]] int rank() const { return world_.rank(); }
  [[nodiscard]] int size() const { return world_.size(); }
  /// Place among the ranks of this machine.
  [[nodiscard]] const Communicator& node() const { return node_; }
  [[nodiscard]] int local_rank() const { return node_.rank(); }
  [[nodiscard]] const std::string& host() const { return host_; }
  /// Threads this rank should use: `asked` if positive, else cores allowed / local ranks.
  [[nodiscard]] int threads(int asked = 0) const { return asked > 0 ? asked : threads_; }

  [[nodiscard]] const Signals& signals() const { return signals_; }
  [[nodiscard]] Watchdog& watchdog() { return *watchdog_; }

  /// The MPI library's own description of itself.
  [[nodiscard]] static std::string mpi_version();

  /// Ends the run: meets the other ranks, prints one message if any failed, and returns the exit code that
  /// all agree on. When this rank failed and the others do not come within `grace_s`, it prints its message
  /// and ends all ranks by MPI_Abort. Communicators held elsewhere must be gone.
  [[nodiscard]] int conclude(const Outcome& mine, double grace_s = 2.0);

 private:
  /// Initialises MPI and finalises it after all communicators are gone.
  class Mpi {
   public:
    Mpi();
    ~Mpi();
    Mpi(const Mpi&) = delete;
    Mpi& operator=(const Mpi&) = delete;
  };

  Signals signals_;
  Mpi mpi_;
  Communicator world_;
  Communicator node_;
  Communicator ending_;
  std::string host_;
  int threads_ = 1;
  std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace wan
