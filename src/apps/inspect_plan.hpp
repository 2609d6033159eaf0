#pragma once
#include <string>

#include "config/inspect_options.hpp"

namespace wan {

/// What `wan-inspect plan` prints. Opens the data set if the run file names one. Throws what reading the run
/// file and the data throws, UsageError for an unknown GPU.
[[nodiscard]] std::string plan_text(const InspectOptions& options);

}  // namespace wan
