#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace wan {

/// Frames [start, start + frames) of a video, counted at the data set's frame rate.
struct Clip {
  std::int64_t start = 0;
  std::int64_t frames = 0;
};

/// How videos are cut into clips.
struct ClipRule {
  std::int64_t start = 0;
  std::int64_t longest = 81;  ///< 4n + 1
  std::int64_t stride = 81;   ///< between the starts of clips
  std::int64_t min_tail = 5;  ///< of what a video's end leaves of a window, to be a clip
  std::optional<std::int64_t> most;
  std::optional<std::int64_t> single_frames;  ///< instead: that many one-frame clips, evenly spaced
};

/// The clips of a video of `count` frames. Consecutive windows of `longest` frames begin every `stride`
/// frames; a window that the video's end cuts short gives the longest 4n + 1 frames that are there. Where
/// fewer than `min_tail` are left the window gives nothing, unless it is the video's first: a stray frame or
/// two behind long clips would be a still with the weight of a clip, but a video that is short is what its
/// owner gave. Single frames lie at trunc(start + i (count - 1 - start) / (n - 1)) (numpy.linspace(start,
/// count - 1, n, dtype=int)), each once. No clips if the video ends before `start`.
[[nodiscard]] std::vector<Clip> cut_clips(std::int64_t count, const ClipRule& rule);

}  // namespace wan
