#pragma once
#include <cstdint>
#include <string>

#include "media/input.hpp"

namespace wan::av {

/// Frames of the first video stream in the order they are shown.
class Decoder {
 public:
  /// Throws what Input throws, and MediaError undecodable.
  Decoder(const std::string& path, const MediaLimits& limits, int threads);

  /// Decodes the next frame; false at the end. Packets that the decoder refuses are passed over (see
  /// damaged()).
  [[nodiscard]] bool next();
  /// Goes to the key frame shown at `pts`, or to one before it: next() then gives what decoding from there
  /// gives, at first also frames that need earlier ones. False if the container cannot; the decoder is of no
  /// use then.
  [[nodiscard]] bool seek(std::int64_t pts);
  /// The frame that next() gave, valid until the next call of it.
  [[nodiscard]] const AVFrame& frame() const { return *frame_; }
  /// True from a frame that could not be decoded cleanly until the next key frame: what lies between may show
  /// it.
  [[nodiscard]] bool damaged() const { return damaged_; }
  /// Whether the frame is a key frame that needs no other, not one in which a gradual refresh has ended.
  [[nodiscard]] bool at_whole_picture() const;
  [[nodiscard]] Input& input() { return input_; }

 private:
  void feed();

  Input input_;
  CodecContext codec_;
  Packet packet_;
  Frame frame_;
  bool packet_waits_ = false;
  bool drained_ = false;
  bool started_ = false;
  bool damaged_ = false;
};

}  // namespace wan::av
