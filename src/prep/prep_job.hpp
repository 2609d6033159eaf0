#pragma once
#include "base/error.hpp"
#include "config/prep_options.hpp"
#include "runtime/runtime.hpp"

namespace wan {

/// wan-prep: plans, encodes, verifies and joins; or one part of that, or only the joining; or, as a dry run,
/// tells what of that it would do. Started again after whatever ended it, it continues, and the data set's
/// bytes depend neither on that nor on the number of ranks. Returns done, or requeue if a stop was asked for.
/// Collective.
[[nodiscard]] ExitCode run_prep(Runtime& runtime, const PrepOptions& options);

}  // namespace wan
