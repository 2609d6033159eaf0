#pragma once
#include <string>

#include "prep/dataset_lock.hpp"
#include "runtime/runtime.hpp"

namespace wan {

/// Joins finished shards into a data set: rejects.csv, index.h5 and, last, dataset.yaml. Needs no model and
/// no video. The ranks share the hashing of the shards. Collective. Throws DataError if a shard is missing,
/// is not finished or was made with other settings, and if no clip at all is usable: then rejects.csv says
/// why, and the shards, which hold nothing, are removed so that the job can be started again.
void finish_dataset(const Communicator& world, const std::string& folder);

/// What finish_dataset would make, in a line; writes nothing and throws as it does. Collective.
[[nodiscard]] std::string preview_finish(const Communicator& world, const std::string& folder);

}  // namespace wan
