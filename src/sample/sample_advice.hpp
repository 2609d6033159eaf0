#pragma once
#include <cstdint>
#include <string>

#include "sample/sample_memory.hpp"

namespace wan {

/// What to change where a video needs more than the `bytes` of a GPU's memory: what its stages take, the
/// flags that make it fit if there are any, or that nothing but a smaller video or a larger GPU does.
[[nodiscard]] std::string sample_advice(const SampledStages& stages, const FrameSize& size,
                                        std::int64_t frames, std::int64_t bytes);

}  // namespace wan
