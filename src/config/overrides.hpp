#pragma once
#include <string>
#include <vector>

#include "config/value.hpp"

namespace wan {

/// Hydra's override grammar: `a.b=c`, `+a.b=c` and `++a.b=c` (the same here, since no key can be added),
/// `~a.b` (back to the default). Values: plain text up to the end of the token, '...' or "..." (backslash
/// escapes the quote and itself), lists [a, 'b', [c]]; `a.b=` is the empty text. Throws UsageError for a
/// token that is no override.
[[nodiscard]] std::vector<Setting> parse_overrides(const std::vector<std::string>& tokens);

}  // namespace wan
