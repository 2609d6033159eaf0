#pragma once
#include <string>

#include "config/convert_options.hpp"

namespace wan {

/// Converts one model; returns what was read and written, for people. With `dry_run` everything is checked
/// and nothing written. One process, no MPI and no device; memory does not grow with the model. The folder
/// appears under its name when it is whole. Throws what open_source and the targets throw; CreateError (exit
/// code 73) if
/// --to exists; IoError if the disk is too small or fails.
[[nodiscard]] std::string convert(const ConvertOptions& options);

}  // namespace wan
