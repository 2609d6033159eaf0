#pragma once
#include <cstdint>

#include "media/image.hpp"

namespace wan {

/// How [-1, 1] becomes 0..255: the reference's videos truncate (x + 1) / 2 * 255, its single pictures round
/// it.
enum class ToBytes { truncate, round };

/// A frame [height, width, 3] of floats, as the VAE gives it, as a picture: values clamped to [-1, 1]; NaN
/// becomes 0.
[[nodiscard]] Image image_from_floats(const float* frame, std::int64_t width, std::int64_t height,
                                      ToBytes mode);

}  // namespace wan
