#pragma once
#include "base/error.hpp"
#include "config/prep_options.hpp"
#include "runtime/runtime.hpp"

namespace wan {

/// wan-prep --dry-run: goes through all that a run does before it encodes, plans the shards that are not
/// there yet, and tells what would be done. Opens no device, takes no lock and writes nothing. The model's
/// weights are hashed only where there is output to compare them with. Returns done, or requeue if a stop was
/// asked for. Collective. Throws what the run would throw before its first clip is encoded, but for what the
/// lock, the device and the content of weights lead to, and DataError where no clip would be.
[[nodiscard]] ExitCode preview_prep(Runtime& runtime, const PrepOptions& options);

}  // namespace wan
