#pragma once
#include <string>
#include <vector>

#include "checkpoint/manifest.hpp"
#include "comm/communicator.hpp"

namespace wan::checkpoint {

/// Hashes of the tensors as they stand on disk, in the order of `tensors`, on all ranks. Each rank reads an
/// even share of the bytes, whoever wrote them, on `threads` threads. Collective; throws SharedError if
/// reading fails anywhere.
[[nodiscard]] std::vector<Hash128> hashes_on_disk(const Communicator& comm, const std::string& folder,
                                                  const std::vector<StoredTensor>& tensors, int threads);

/// Sums hashes element by element over the ranks. Collective.
void sum_hashes(const Communicator& comm, std::vector<Hash128>& hashes);

/// Throws DataError naming file, tensor or size unless the folder holds exactly what `manifest` says, hashes
/// included. Collective: rank 0 checks sizes and the small files, all ranks share the tensors. `files`: names
/// of the tensor files to look into; the others are checked by size only. Empty means all.
void verify(const Communicator& comm, const std::string& folder, const Manifest& manifest,
            const std::vector<std::string>& files = {}, int threads = 1);

}  // namespace wan::checkpoint
