#pragma once
#include "config/choices.hpp"
#include "device/device.hpp"
#include "tensor/dtype.hpp"

namespace wan {

/// What `automatic` means on a device of this kind; fp32 and bf16 are themselves.
[[nodiscard]] ModelStorage storage_on(DeviceKind device, ModelStorage asked);

/// Throws InternalError for `automatic`.
[[nodiscard]] DType storage_dtype(ModelStorage storage);

}  // namespace wan
