#pragma once
#include <string>
#include <utility>

#include "base/error.hpp"

namespace wan {

/// A media file that cannot be used. `reason` is one word for rejects.csv:
///   unreadable       the file cannot be opened or read
///   not_a_video      no supported container (mp4, mov, mkv, webm)
///   no_video_stream  a container without moving pictures
///   no_frames        a video stream that holds none
///   absurd_size      frames larger than MediaLimits allows, or empty ones
///   too_long         more frames or seconds than MediaLimits allows
///   truncated        the file ends before what it announces
///   undecodable      no decoder, or no packet gives a frame
///   corrupt_frame    a frame that the decoder reports as damaged, or that follows one before the next key
///   frame missing_frame    a packet whose frame the decoder never gave size_changes     the frame size
///   changes on the way timeout          more wall time than MediaLimits allows
struct MediaError : DataError {
  MediaError(std::string file, std::string one_word, const std::string& message)
      : DataError(std::move(file), one_word + ": " + message), reason(std::move(one_word)) {}
  std::string reason;
};

}  // namespace wan
