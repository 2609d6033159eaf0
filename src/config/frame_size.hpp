#pragma once
#include <cstdint>
#include <string>

namespace wan {

/// Height and width of a video in pixels.
struct FrameSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
  friend bool operator==(const FrameSize& a, const FrameSize& b) {
    return a.height == b.height && a.width == b.width;
  }
};

/// "480*832" or "480x832", height first (what Wan's documentation means by --sizes). Throws UsageError.
[[nodiscard]] FrameSize parse_frame_size(const std::string& text);

/// "480 high x 832 wide".
[[nodiscard]] std::string to_text(const FrameSize& size);

}  // namespace wan
