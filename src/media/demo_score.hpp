#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "media/demo_shapes.hpp"
#include "media/image.hpp"

namespace wan::demo {

/// What a clip is seen to show. The shape is not judged.
struct Sighting {
  std::optional<std::int64_t> colour;  ///< none if nothing stands out from the ground
  std::optional<std::int64_t> direction;
};

/// Pixels count by their luminance (BT.709) above an eighth of full (the ground has a twentieth). Colour: the
/// nearest of the palette to their mean colour. Direction: the sign of the larger component of their
/// centroid's shift from the first to the last five frames (fewer frames: their halves).
[[nodiscard]] Sighting judge(const std::vector<Image>& clip);

}  // namespace wan::demo
