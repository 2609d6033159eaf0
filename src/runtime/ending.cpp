#include "runtime/ending.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/mpi_transport.hpp"

namespace wan {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds pause(2);
constexpr int failed_tag = 1;

/// True once every rank is here; false when `deadline` passes first.
bool all_arrived(MPI_Comm comm, bool bounded, Clock::time_point deadline) {
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Ibarrier(comm, &request) != MPI_SUCCESS) return false;
  for (;;) {
    int done = 0;
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (done != 0) return true;
    if (bounded && Clock::now() > deadline) return false;
    std::this_thread::sleep_for(pause);
  }
}

/// Tells the higher ranks that this one failed, and looks whether a lower one did: that one speaks for all.
bool lower_rank_failed(MPI_Comm comm, int rank, int size) {
  std::vector<MPI_Request> requests(static_cast<std::size_t>(size), MPI_REQUEST_NULL);
  for (int peer = rank + 1; peer < size; ++peer) {
    MPI_Isend(nullptr, 0, MPI_BYTE, peer, failed_tag, comm, &requests[static_cast<std::size_t>(peer)]);
  }
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(300);
  int found = 0;
  while (found == 0 && Clock::now() < deadline) {
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, failed_tag, comm, &found, &status);
    std::this_thread::sleep_for(pause);
  }
  return found != 0;
}

[[noreturn]] void abort_all(const Outcome& mine, const Communicator& comm) {
  const MPI_Comm handle = *static_cast<const MPI_Comm*>(comm.native());
  if (lower_rank_failed(handle, comm.rank(), comm.size()))
    std::this_thread::sleep_for(std::chrono::seconds(5));
  log::closing_error(described(mine, comm.size()));
  log::flush();
  MPI_Abort(handle, static_cast<int>(mine.code));
  std::abort();
}

}  // namespace

std::string described(const Outcome& outcome, int ranks) {
  if (ranks == 1) return outcome.message;
  return cat("rank ", outcome.rank, " on ", outcome.host, ": ", outcome.message);
}

Outcome meet_at_the_end(const Communicator& comm, const Outcome& outcome, double grace_s) {
  Outcome mine = outcome;
  if (mine.rank < 0) mine.rank = comm.rank();
  if (mine.host.empty()) mine.host = host_name();
  if (comm.size() > 1) {
    const auto grace = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(grace_s));
    const MPI_Comm handle = *static_cast<const MPI_Comm*>(comm.native());
    if (messages_dangle()) abort_all(mine, comm);
    if (!all_arrived(handle, !mine.good(), Clock::now() + grace)) abort_all(mine, comm);
  }
  Outcome worst = worst_of(comm, mine);
  if (!worst.message.empty() && comm.rank() == 0) log::closing_error(described(worst, comm.size()));
  return worst;
}

}  // namespace wan
