#pragma once
#include <string>

namespace wan {

/// Why a device library could not be loaded, in the words of whoever can help: `reason` is the dynamic
/// loader's, which names the first library that it misses.
[[nodiscard]] std::string load_failure(const std::string& library, const std::string& reason);

}  // namespace wan
