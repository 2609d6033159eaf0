#pragma once
#include <cstdint>
#include <string>

#include "base/json.hpp"
#include "data/batches.hpp"

namespace wan {

/// Where a training run stands: all that is needed, beside the tensors, to go on as if it had never stopped.
struct RunState {
  std::int64_t step = 0;            ///< iterations done
  std::int64_t updates = 0;         ///< of these, those whose gradient was finite: AdamW's t
  std::int64_t skipped_in_row = 0;  ///< the last ones, whose gradient was not
  std::int64_t skipped = 0;         ///< all of those
  LoaderState loader;
};

[[nodiscard]] Json to_json(const RunState& state);
/// Throws DataError naming `source` and the member.
[[nodiscard]] RunState run_state_from_json(const Json& json, const std::string& source);

}  // namespace wan
