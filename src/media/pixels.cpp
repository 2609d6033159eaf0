#include "media/pixels.hpp"

namespace wan {

Image image_from_floats(const float* frame, std::int64_t width, std::int64_t height, ToBytes mode) {
  const float bias = mode == ToBytes::round ? 0.5F : 0.0F;
  Image image(width, height);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    // Written so that NaN falls to the lower bound.
    const float x = frame[i] > -1.0F ? (frame[i] < 1.0F ? frame[i] : 1.0F) : -1.0F;
    // By way of an integer, for which there are vector instructions.
    image.rgb[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>((x + 1.0F) * 0.5F * 255.0F + bias));
  }
  return image;
}

}  // namespace wan
