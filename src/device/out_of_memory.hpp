#pragma once
#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace wan {

/// A device has not the memory that was asked for.
struct OutOfMemory : CommError {
  OutOfMemory(std::int64_t bytes_asked, const std::string& message)
      : CommError(message), asked(bytes_asked) {}
  std::int64_t asked;
};

}  // namespace wan
