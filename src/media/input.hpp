#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "media/av.hpp"
#include "media/limits.hpp"

struct AVStream;

namespace wan::av {

/// An open mp4, mov, mkv or webm file and its first video stream. Only local files of these containers are
/// opened: a playlist or script under such a name could make libav open other files.
class Input {
 public:
  /// Throws MediaError: unreadable, not_a_video, no_video_stream, absurd_size, timeout.
  Input(const std::string& path, const MediaLimits& limits);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  [[nodiscard]] const AVFormatContext& format() const { return *format_; }
  [[nodiscard]] const AVStream& stream() const { return *stream_; }

  /// Reads the next packet of any stream; false at the end of what can be read. Throws MediaError timeout,
  /// unreadable.
  [[nodiscard]] bool read(AVPacket& packet);
  [[nodiscard]] bool of_video(const AVPacket& packet) const;

  /// Goes to the last key frame of the video whose place in the file lets all that is shown from `pts` on be
  /// read. False if the container cannot; where reading goes on is then unknown.
  [[nodiscard]] bool seek(std::int64_t pts);

  /// An opened decoder of the video stream. Throws MediaError undecodable.
  [[nodiscard]] CodecContext open_decoder(int threads) const;

  /// Gives the next reads max_wall_s again.
  void restart_clock();
  /// Throws MediaError timeout if that time is over.
  void check_clock() const;

 private:
  void check_size() const;

  std::string path_;
  MediaLimits limits_;
  std::chrono::steady_clock::time_point deadline_;
  AVFormatContext* format_ = nullptr;
  AVStream* stream_ = nullptr;
};

}  // namespace wan::av
