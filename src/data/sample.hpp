#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace wan {

/// Extents of one clip's latent [channels, frames, height, width], row-major.
struct LatentShape {
  std::int64_t channels = 0;
  std::int64_t frames = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  [[nodiscard]] std::int64_t elements() const { return channels * frames * height * width; }
  /// Tokens of the diffusion transformer, whose patches are 1 × 2 × 2.
  [[nodiscard]] std::int64_t tokens() const { return frames * (height / 2) * (width / 2); }
  friend bool operator==(const LatentShape& a, const LatentShape& b) {
    return a.channels == b.channels && a.frames == b.frames && a.height == b.height && a.width == b.width;
  }
  friend bool operator!=(const LatentShape& a, const LatentShape& b) { return !(a == b); }
};

/// "16x5x8x8"
[[nodiscard]] std::string to_text(const LatentShape& shape);

/// A clip's identity in every random number and log: the low half of XXH3-128 of
/// "source name \n first frame \n frames", numbers in decimal. Frames count at the data set's frame rate.
[[nodiscard]] std::uint64_t sample_id(std::string_view source, std::int64_t frame_start,
                                      std::int64_t frame_count);

}  // namespace wan
