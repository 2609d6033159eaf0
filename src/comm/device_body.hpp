#pragma once
#include <memory>

#include "comm/body.hpp"
#include "device/device.hpp"

namespace wan {

/// Collectives on `device`'s memory by the device's own means, and those on host memory by `host`, whose
/// ranks it has. `device` has groups(). Collective over `host`; throws as Communicator::on_device says.
[[nodiscard]] std::shared_ptr<CommBody> make_device_body(std::shared_ptr<CommBody> host, Device& device);

}  // namespace wan
