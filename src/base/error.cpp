#include "base/error.hpp"

#include <cstring>

namespace wan {

IoError::IoError(std::string file, int errno_value, const std::string& message)
    : Error(ExitCode::io,
            file + ": " + message +
                (errno_value == 0 ? std::string() : std::string(" (") + std::strerror(errno_value) + ")")),
      path(std::move(file)),
      error_number(errno_value) {}

}  // namespace wan
