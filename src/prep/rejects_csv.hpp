#pragma once
#include <string>
#include <vector>

#include "data/shard.hpp"

namespace wan {

/// Writes the file in one step: a heading, then per rejection source, frame_start (empty for a whole file),
/// reason and detail (RFC 4180; "reason: detail" of the rejection is split at the first colon).
void write_rejects_csv(const std::string& path, const std::vector<Rejection>& rejections);

}  // namespace wan
