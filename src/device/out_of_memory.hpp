#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "device/device.hpp"

namespace wan {

/// A device has not the memory that was asked for.
struct OutOfMemory : CommError {
  OutOfMemory(std::int64_t bytes_asked, const std::string& message,
              const std::optional<DeviceMemory>& memory = {})
      : CommError(message), asked(bytes_asked), found(memory) {}
  std::int64_t asked;
  std::optional<DeviceMemory> found;  ///< if it is a device that could not be opened, and cannot be asked
};

}  // namespace wan
