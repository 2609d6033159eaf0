#include "config/frame_size.hpp"

#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "config/value.hpp"

namespace wan {

FrameSize parse_frame_size(const std::string& text) {
  constexpr std::int64_t largest = 16384;
  const std::size_t cross = text.find_first_of("*x");
  if (cross != std::string::npos) {
    const std::optional<std::int64_t> height = as_integer({text.substr(0, cross), false, false, {}});
    const std::optional<std::int64_t> width = as_integer({text.substr(cross + 1), false, false, {}});
    if (height && width && *height > 0 && *width > 0 && *height <= largest && *width <= largest) {
      return {*height, *width};
    }
  }
  throw UsageError(
      cat("size: found '", text.substr(0, 60), "', allowed: height*width in pixels, for example 480*832"));
}

std::string to_text(const FrameSize& size) {
  return cat(size.height, " high x ", size.width, " wide");
}

}  // namespace wan
