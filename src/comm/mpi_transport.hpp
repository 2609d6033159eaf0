#pragma once
#include "comm/communicator.hpp"

namespace wan {

/// All ranks of the MPI program, on a duplicate of MPI_COMM_WORLD; the one rank alone when MPI is not
/// initialised. Collective. The value and everything split from it must be gone before MPI_Finalize.
[[nodiscard]] Communicator world_communicator();

/// The ranks of `world` that share this machine's memory, in world order. Collective.
[[nodiscard]] Communicator node_communicator(const Communicator& world);

/// Whether an exception left messages behind whose buffers may be gone by now. Then no MPI call that moves
/// messages is safe any more; only MPI_Abort is left.
[[nodiscard]] bool messages_dangle() noexcept;

}  // namespace wan
