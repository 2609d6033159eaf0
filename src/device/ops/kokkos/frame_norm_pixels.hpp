#pragma once
#include "device/ops/frames.hpp"

namespace wan::kernels {

/// The op by as few lanes of a warp as a pixel has use for, 16 bytes a load. False, with nothing done, where
/// pixels are not bf16 or not cut into such loads.
[[nodiscard]] bool norm_pixels(const FrameNorm& a);

}  // namespace wan::kernels
