#pragma once
#include <string>

#include "media/av.hpp"
#include "media/image.hpp"

namespace wan::av {

/// Turns decoded frames into RGB: accurate rounding, full chroma interpolation, bit-exact; matrix and range
/// from the frame's own tags, BT.601 limited where it has none. Never scales. One per thread.
class ToRgb {
 public:
  /// Throws MediaError undecodable, naming `path`, for a pixel format that cannot be converted.
  [[nodiscard]] Image convert(const AVFrame& frame, const std::string& path);

 private:
  Scaler scaler_;
  Frame rgb_;
};

/// Turns RGB into the planes of an allocated 4:2:0 frame by the frame's own matrix and range tags.
class FromRgb {
 public:
  void convert(const Image& image, AVFrame& frame);

 private:
  Scaler scaler_;
  Frame rgb_;
};

}  // namespace wan::av
