#pragma once
#include <string>

namespace wan {

/// A line for each iteration of a run folder: step, bytes, tensors, whether its manifest holds, and with
/// `verify` whether every tensor has its hash. `good` becomes false if one does not. Throws NoInputError if
/// there is no iteration.
[[nodiscard]] std::string checkpoint_text(const std::string& run, bool verify, bool& good);

/// Rows by split, shards and settings of a data set; with `verify` what its files' hashes say of each. `good`
/// becomes false for damaged ones. Throws what Dataset::open throws.
[[nodiscard]] std::string dataset_text(const std::string& folder, bool verify, bool& good);

}  // namespace wan
