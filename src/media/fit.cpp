#include "media/fit.hpp"

#include <algorithm>
#include <cstring>

namespace wan {
namespace {

std::int64_t truncated(double size) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(size));
}

}  // namespace

Fit plan_fit(FitMode mode, std::int64_t width, std::int64_t height, std::int64_t target_width,
             std::int64_t target_height) {
  if (mode == FitMode::none) return {width, height, 0, 0, width, height};
  if (mode == FitMode::stretch) return {target_width, target_height, 0, 0, target_width, target_height};
  const double aspect = static_cast<double>(width) / static_cast<double>(height);
  const double target_aspect = static_cast<double>(target_width) / static_cast<double>(target_height);
  const bool full_height = (aspect > target_aspect) == (mode == FitMode::cover);
  Fit fit;
  if (full_height) {
    fit.resized_height = target_height;
    fit.resized_width = truncated(static_cast<double>(target_height) * aspect);
  } else {
    fit.resized_width = target_width;
    fit.resized_height = truncated(static_cast<double>(target_width) / aspect);
  }
  if (mode == FitMode::inside) {
    fit.width = fit.resized_width;
    fit.height = fit.resized_height;
  } else {
    fit.width = target_width;
    fit.height = target_height;
    fit.crop_x = std::max<std::int64_t>(0, (fit.resized_width - target_width) / 2);
    fit.crop_y = std::max<std::int64_t>(0, (fit.resized_height - target_height) / 2);
  }
  return fit;
}

Image apply_fit(const Image& image, const Fit& fit, ResizeKind kind) {
  Image scaled = resize(image, fit.resized_width, fit.resized_height, kind);
  if (scaled.width == fit.width && scaled.height == fit.height) return scaled;
  Image out(fit.width, fit.height);
  const std::int64_t rows = std::min(fit.height, scaled.height - fit.crop_y);
  const std::int64_t columns = std::min(fit.width, scaled.width - fit.crop_x);
  for (std::int64_t y = 0; y < rows; ++y) {
    std::memcpy(out.row(y), scaled.row(y + fit.crop_y) + fit.crop_x * 3,
                static_cast<std::size_t>(columns * 3));
  }
  return out;
}

}  // namespace wan
