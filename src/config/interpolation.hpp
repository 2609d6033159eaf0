#pragma once
#include <string>

#include "config/value.hpp"

namespace wan {

/// Replaces `${oc.env:NAME}` and `${oc.env:NAME,default}` (OmegaConf's resolver; the default may hold another
/// one) in a value and in the items of a list. A scalar that is nothing but one interpolation is typed
/// afterwards, even in quotes, so `"${oc.env:DIR,null}"` may become null. What a variable holds is taken as
/// it is, never expanded again. Throws ConfigError(key) if a variable without default is not set, for any
/// other `${...}`, and for a missing brace.
[[nodiscard]] Value interpolate(const Value& value, const std::string& key, const std::string& where);

}  // namespace wan
