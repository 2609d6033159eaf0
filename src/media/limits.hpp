#pragma once
#include <cstdint>

namespace wan {

/// What a media file may ask of this machine. Files beyond it are refused with MediaError.
struct MediaLimits {
  std::int64_t max_side = 16384;                    ///< pixels
  std::int64_t max_pixels = std::int64_t{1} << 26;  ///< per frame; 8K video has 2^25
  std::int64_t max_frames = std::int64_t{1} << 22;  ///< in one file; costs 8 bytes each while it is open
  double max_duration_s = 86400;                    ///< from the first frame to the end of the last
  double max_wall_s = 600;                          ///< for a probe, and for one frame of a reader
};

}  // namespace wan
