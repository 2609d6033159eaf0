#pragma once
#include <string>

namespace wan {

/// The suite's version and the commit it was configured from: "0.1.0 (10aae18)".
[[nodiscard]] std::string version_text();

}  // namespace wan
