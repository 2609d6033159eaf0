#pragma once

namespace wan {

/// Starts Kokkos and sets the number of OpenMP threads (oneDNN's and ours). `threads` 0 means what
/// OMP_NUM_THREADS says, else the cores this process may use. Returns the number in force. Kokkos starts at
/// the first call and ends with the process, since it cannot start twice.
int start_host_session(int threads);

}  // namespace wan
