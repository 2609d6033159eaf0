#pragma once
#include <cstdint>

#include "media/image.hpp"
#include "media/resize.hpp"

namespace wan {

/// How a frame is brought to the target size.
enum class FitMode {
  none,     ///< left as it is
  cover,    ///< aspect kept, target filled, the middle cut out
  inside,   ///< aspect kept, the whole frame within the target
  stretch,  ///< exactly the target, aspect not kept
};

/// Scale to resized_*, cut width × height at (crop_x, crop_y), and where that reaches beyond the scaled frame
/// (it can by a pixel or two, since sizes truncate) fill with zeros at the bottom and on the right.
struct Fit {
  std::int64_t resized_width = 0;
  std::int64_t resized_height = 0;
  std::int64_t crop_x = 0;
  std::int64_t crop_y = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// The rules of NeMo DFM's prepare_dataset_wan.py (in doubles, sizes truncated, at least one pixel). All
/// sizes > 0; the target is not read by FitMode::none.
[[nodiscard]] Fit plan_fit(FitMode mode, std::int64_t width, std::int64_t height, std::int64_t target_width,
                           std::int64_t target_height);

[[nodiscard]] Image apply_fit(const Image& image, const Fit& fit, ResizeKind kind);

}  // namespace wan
