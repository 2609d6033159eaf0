#pragma once
#include <cstdint>
#include <vector>

namespace wan {

/// An 8-bit RGB picture: `rgb` is [height, width, 3] without padding between rows.
struct Image {
  Image() = default;
  Image(std::int64_t w, std::int64_t h) : width(w), height(h), rgb(static_cast<std::size_t>(w * h * 3)) {}
  [[nodiscard]] std::uint8_t* row(std::int64_t y) { return rgb.data() + y * width * 3; }
  [[nodiscard]] const std::uint8_t* row(std::int64_t y) const { return rgb.data() + y * width * 3; }

  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::uint8_t> rgb;
};

}  // namespace wan
