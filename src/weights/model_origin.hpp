#pragma once
#include <string>

#include "base/json.hpp"
#include "weights/model_parts.hpp"

namespace wan {

/// What a checkpoint records of the parts that it belongs to: "model" and the three hashes.
[[nodiscard]] Json origin_of(const ModelParts& parts);

/// Throws DataError(`model`) if a hash that `origin` records is not that of `parts`.
void require_recorded(const Json& origin, const ModelParts& parts, const std::string& model);

}  // namespace wan
