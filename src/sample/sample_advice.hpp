#pragma once
#include <cstdint>
#include <string>

#include "device/device.hpp"
#include "sample/sample_memory.hpp"

namespace wan {

/// What to change where a video did not find the memory it needs on a GPU that now has `memory`: what its
/// stages take, and the fewest flags that make it fit; or who else is to blame; or that only a smaller video
/// or a larger GPU helps.
[[nodiscard]] std::string sample_advice(const SampledStages& stages, const FrameSize& size,
                                        std::int64_t frames, const DeviceMemory& memory);

}  // namespace wan
