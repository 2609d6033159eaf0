#pragma once
#include <cstdint>

#include "config/choices.hpp"
#include "media/image.hpp"

namespace wan {

/// Equal to cv2.resize within 1 of 255: 11-bit fixed-point weights (area: float), edges repeated. Pixel
/// centres lie at half integers; only `area` averages when it shrinks, the others sample. All sizes > 0.
[[nodiscard]] Image resize(const Image& image, std::int64_t width, std::int64_t height, ResizeKind kind);

}  // namespace wan
