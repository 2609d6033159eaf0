#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "media/limits.hpp"
#include "media/orientation.hpp"
#include "media/rational.hpp"
#include "media/timeline.hpp"

namespace wan {

/// What a video file really holds, counted packet by packet: container headers lie (mkv has no frame count, a
/// cut mp4 announces more than it holds).
struct VideoInfo {
  std::string path;
  std::string codec;       ///< libav's name, "h264"
  std::int64_t width = 0;  ///< as shown, that is after `orientation`; pixels count as square
  std::int64_t height = 0;
  Orientation orientation;  ///< from the file's display matrix
  Rational
      frame_rate;  ///< nominal: the average the container states, else its base rate, else the measured one
  std::string matrix;  ///< colour matrix tag, libav's name, "unknown" when untagged
  bool full_range = false;
  Timeline timeline;               ///< of every frame that is shown; edit lists are honoured
  std::vector<std::int64_t> keys;  ///< of `timeline.pts`, those of key frames; none without exact_pts
  bool exact_pts = true;  ///< false: packets carry no presentation times, `timeline` is by order of decoding
};

/// Reads every packet of the file and decodes its first frame. Throws MediaError, whose `reason` is one word.
[[nodiscard]] VideoInfo probe_video(const std::string& path, const MediaLimits& limits = {});

}  // namespace wan
