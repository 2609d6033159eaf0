#include "media/contact_sheet.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "media/resize.hpp"

namespace wan {

Image contact_sheet(const std::vector<Image>& images, std::int64_t columns, std::int64_t scale,
                    std::int64_t gap) {
  assert(!images.empty() && columns > 0 && scale > 0 && gap >= 0);
  constexpr std::uint8_t ground = 40;
  std::int64_t cell_width = 0;
  std::int64_t cell_height = 0;
  for (const Image& image : images) {
    cell_width = std::max(cell_width, image.width * scale + gap);
    cell_height = std::max(cell_height, image.height * scale + gap);
  }
  const auto count = static_cast<std::int64_t>(images.size());
  Image sheet(std::min(columns, count) * cell_width + gap,
              (count + columns - 1) / columns * cell_height + gap);
  std::fill(sheet.rgb.begin(), sheet.rgb.end(), ground);
  for (std::int64_t i = 0; i < count; ++i) {
    const Image& image = images[static_cast<std::size_t>(i)];
    const Image large = resize(image, image.width * scale, image.height * scale, ResizeKind::nearest);
    const std::int64_t left = i % columns * cell_width + gap;
    const std::int64_t top = i / columns * cell_height + gap;
    for (std::int64_t y = 0; y < large.height; ++y) {
      std::memcpy(sheet.row(top + y) + left * 3, large.row(y), static_cast<std::size_t>(large.width * 3));
    }
  }
  return sheet;
}

}  // namespace wan
