#pragma once
#include <cstdint>
#include <memory>

#include "media/image.hpp"
#include "media/limits.hpp"
#include "media/probe.hpp"

namespace wan {

/// Frames of a video at a constant rate, or one by one, as upright RGB. Decodes forward and keeps one frame,
/// so that consecutive clips of a long file cost no more memory than one frame. A frame farther on, or before
/// the last, is decoded from the last key frame at or before it, where seeking there leads to it; a file in
/// which it does not is decoded from its beginning. Frames are the same either way. Every reader owns its
/// decoder: several threads may each have their own, one reader belongs to one thread at a time.
class VideoReader {
 public:
  /// `info` comes from probe_video. Frames do not depend on `threads`. Throws MediaError.
  VideoReader(VideoInfo info, TargetRate rate, int threads = 1, const MediaLimits& limits = {});
  ~VideoReader();
  VideoReader(VideoReader&&) noexcept;
  VideoReader& operator=(VideoReader&&) noexcept;

  /// Length of the resampled sequence.
  [[nodiscard]] std::int64_t count() const;

  /// Frame k of the resampled sequence, 0 <= k < count(), valid until the next call. Fastest when k rises
  /// slowly from call to call. Throws MediaError corrupt_frame, missing_frame, size_changes or timeout; the
  /// reader stays usable, and a later k may succeed.
  [[nodiscard]] const Image& frame(std::int64_t k);

  /// Frames decoded so far, also those only passed over.
  [[nodiscard]] std::int64_t decoded() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wan
