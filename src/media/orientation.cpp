#include "media/orientation.hpp"

#include <cstdlib>
#include <cstring>

namespace wan {

Orientation orientation_of(const std::int32_t matrix[9]) {
  const std::int64_t a = matrix[0];
  const std::int64_t b = matrix[1];
  const std::int64_t c = matrix[3];
  const std::int64_t d = matrix[4];
  if (std::abs(a) + std::abs(d) >= std::abs(b) + std::abs(c)) return {false, a < 0, d < 0};
  return {true, c < 0, b < 0};
}

Image oriented(const Image& image, const Orientation& orientation) {
  Image out(orientation.transpose ? image.height : image.width,
            orientation.transpose ? image.width : image.height);
  for (std::int64_t y = 0; y < out.height; ++y) {
    const std::int64_t v = orientation.flip_y ? out.height - 1 - y : y;
    std::uint8_t* const to = out.row(y);
    for (std::int64_t x = 0; x < out.width; ++x) {
      const std::int64_t u = orientation.flip_x ? out.width - 1 - x : x;
      const std::uint8_t* const from = orientation.transpose ? image.row(u) + v * 3 : image.row(v) + u * 3;
      std::memcpy(to + x * 3, from, 3);
    }
  }
  return out;
}

}  // namespace wan
