#pragma once
#include <memory>
#include <string>

#include "media/image.hpp"
#include "media/rational.hpp"

namespace wan {

/// Throws CreateError unless this FFmpeg has the encoder that VideoWriter uses, libx264; to be asked before
/// hours of work whose result is a video.
void check_video_encoder(const std::string& path);

/// Writes one H.264 mp4 (4:2:0; matrix BT.601, primaries and transfer BT.709, limited range, all tagged:
/// readers that ignore tags assume that matrix too). A fixed number of threads and bit-exact flags: equal
/// frames give equal bytes on any machine. The file is built in memory and appears under its name when
/// finish() has succeeded; without it nothing is left.
class VideoWriter {
 public:
  /// Even sizes only. `crf` 0..51, lower is better. Throws CreateError, UsageError.
  VideoWriter(std::string path, std::int64_t width, std::int64_t height, Rational frames_per_second,
              int crf = 10);
  ~VideoWriter();
  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;

  /// Frame after frame; each has the writer's size.
  void add(const Image& image);
  /// Once, after the last frame; at least one frame. Throws CreateError, IoError.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace wan
