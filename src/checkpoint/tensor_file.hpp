#pragma once
#include <string>
#include <vector>

#include "checkpoint/snapshot.hpp"
#include "checkpoint/table.hpp"
#include "comm/communicator.hpp"

namespace wan::checkpoint {

/// Creates `folder`'s HDF5 file of one kind with all its datasets, at full size, space reserved; fills in the
/// ranges of its tensors. One rank alone. Throws CreateError or IoError (with bytes needed and found).
void create_tensor_file(const std::string& folder, FileKind kind, std::int64_t step, TensorTable& table);

/// Writes this rank's parts to their places in both files, and fills in the tensors' hashes, which are those
/// of the memory. Plain writes where the datasets lie: `threads` of them go on at once, none of them takes
/// HDF5's lock, and on a full disk, or when one rank fails, the others do not hang. What was written is on
/// the disk when it returns. Numbers that are not finite are refused (NumericError), if the snapshot
/// says so. Throws SharedError on
/// all ranks. Collective.
void write_parts(const Communicator& comm, const std::string& folder, const Snapshot& snapshot,
                 TensorTable& table, int threads);

}  // namespace wan::checkpoint
