#include "runtime/runtime.hpp"

#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/mpi_transport.hpp"
#include "runtime/cores.hpp"
#include "runtime/ending.hpp"

namespace wan {
namespace {

bool launched_by_someone() {
  for (const char* name :
       {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK", "PMI_FD", "PMI_SIZE"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

/// Without a launcher Open MPI would start a daemon and probe networks, half a second for nothing, and
/// complain of a session folder that its shared file pointers, which nobody uses, want.
void prepare_one_rank() {
  ::setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  ::setenv("OMPI_MCA_pml", "ob1", 0);
  ::setenv("OMPI_MCA_btl", "self", 0);
  ::setenv("OMPI_MCA_sharedfp", "individual", 0);
}

/// Slurm's srun without its MPI plug-in starts every task as a program of its own, each believing to be
/// alone.
void refuse_ranks_that_cannot_meet() {
  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (tasks == nullptr || std::string_view(tasks) == "1" || launched_by_someone()) return;
  throw CommError(cat("srun started ", tasks,
                      " tasks, but MPI in them knows of one only; start with srun --mpi=pmix "
                      "(srun --mpi=list shows what there is)"));
}

}  // namespace

Runtime::Mpi::Mpi() {
  refuse_ranks_that_cannot_meet();
  // A rank that waits gives its core to whoever computes: ranks have background threads, and a machine may be
  // shared.
  ::setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
  if (!launched_by_someone()) prepare_one_rank();
  int provided = MPI_THREAD_SINGLE;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided) != MPI_SUCCESS) {
    throw CommError("MPI_Init_thread failed");
  }
  if (provided != MPI_THREAD_MULTIPLE) {
    MPI_Finalize();
    throw CommError(cat("MPI offers thread level ", provided, ", MPI_THREAD_MULTIPLE (", MPI_THREAD_MULTIPLE,
                        ") is needed: checkpoints are written by a thread of their own"));
  }
}

Runtime::Mpi::~Mpi() {
  MPI_Finalize();
}

Runtime::Runtime()
    : world_(world_communicator()),
      node_(node_communicator(world_)),
      ending_(world_.duplicate(Waiting::patient)),
      host_(host_name()),
      threads_(threads_per_rank(node_)),
      watchdog_(std::make_unique<Watchdog>(exit_on_hang(world_.rank(), host_))) {
  log::set_rank(world_.rank(), world_.size());
}

Runtime::~Runtime() {
  log::flush();
}

std::string Runtime::mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  return split(std::string(text, static_cast<std::size_t>(length)), ',').front();
}

int Runtime::conclude(const Outcome& mine, double grace_s) {
  const Outcome all = meet_at_the_end(ending_, mine, grace_s);
  log::flush();
  const int code = static_cast<int>(all.code);
  if (!all.good() && size() > 1) {
    // Messages abandoned by an exception can keep MPI_Finalize from returning.
    std::thread([code] {
      std::this_thread::sleep_for(std::chrono::seconds(10));
      ::_exit(code);
    }).detach();
  }
  return code;
}

}  // namespace wan
