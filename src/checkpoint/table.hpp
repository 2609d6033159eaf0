#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/manifest.hpp"
#include "checkpoint/snapshot.hpp"
#include "comm/communicator.hpp"

namespace wan::checkpoint {

/// The tensors of a checkpoint about to be written, the same on all ranks: path, dtype and shape, no ranges
/// yet; which entry each of this rank's parts belongs to; which file each goes to.
struct TensorTable {
  std::vector<StoredTensor> tensors;
  std::vector<FileKind> kinds;
  std::vector<std::size_t> of_part;
  [[nodiscard]] std::int64_t bytes() const;
};

/// The union of what the ranks bring. Throws InternalError (as SharedError, on all ranks) if two ranks differ
/// about a tensor, if a dtype is neither fp32 nor bf16, or if the parts do not add up to all elements.
/// Collective.
[[nodiscard]] TensorTable gather_table(const Communicator& comm, const std::vector<SnapshotPart>& parts);

}  // namespace wan::checkpoint
