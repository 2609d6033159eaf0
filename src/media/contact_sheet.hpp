#pragma once
#include <cstdint>
#include <vector>

#include "media/image.hpp"

namespace wan {

/// The pictures in rows of `columns`, each enlarged `scale` times (pixels repeated), on dark grey with `gap`
/// pixels around each. Pictures may differ in size; cells take the largest. `images` is not empty.
[[nodiscard]] Image contact_sheet(const std::vector<Image>& images, std::int64_t columns,
                                  std::int64_t scale = 1, std::int64_t gap = 4);

}  // namespace wan
