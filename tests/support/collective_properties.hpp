#pragma once
#include <cstdint>

#include "comm/communicator.hpp"

namespace wan {

/// Runs every collective on random data whose right result each rank can compute alone, and expects it
/// (GoogleTest): all dtypes, empty and uneven parts, in place and not, several operations in flight.
/// Collective; `seed` is the same on all ranks. With `device`, which `comm` then reaches, the tensors are in
/// its memory; else in the host's, where roundings are checked too.
void check_collectives(const Communicator& comm, std::uint64_t seed, Device* device = nullptr);

/// Splits and duplicates, and expects ranks, sizes and messages to stay apart. Collective.
void check_groups(const Communicator& comm);

}  // namespace wan
