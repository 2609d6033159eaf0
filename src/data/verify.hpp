#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.hpp"

namespace wan {

/// A file of a data set that is not what dataset.yaml says.
struct Damage {
  std::string file;  ///< its path
  std::string what;  ///< a sentence; names the rows whose data differ
};

/// Reads shards `part`, `part + parts`, … of an open data set wholly and holds their bytes against
/// dataset.yaml; of one that differs, every row against its own hashes. Reading takes as long as the disk
/// does. Throws IoError, NoInputError.
[[nodiscard]] std::vector<Damage> damaged_files(const std::shared_ptr<const Dataset>& dataset,
                                                std::int64_t part = 0, std::int64_t parts = 1);

}  // namespace wan
