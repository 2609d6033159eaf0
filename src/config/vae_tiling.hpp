#pragma once
#include <cstdint>
#include <string>

#include "config/command_line.hpp"

namespace wan {

/// Spatial tiles that frames go through the VAE in, if a GPU cannot hold them whole: diffusers' terms and
/// defaults (AutoencoderKLWan.enable_tiling), in pixels.
struct VaeTiling {
  bool enabled = false;
  std::int64_t tile_sample_min_height = 256;  ///< of a tile; lower frames are not cut
  std::int64_t tile_sample_min_width = 256;
  std::int64_t tile_sample_stride_height = 192;  ///< from tile to tile; the rest overlaps and is blended
  std::int64_t tile_sample_stride_width = 192;

  /// Whether frames of this size are cut.
  [[nodiscard]] bool cuts(std::int64_t height, std::int64_t width) const {
    return enabled && (height > tile_sample_min_height || width > tile_sample_min_width);
  }
  /// "none", or "256x256/192x192": height x width of tiles and strides.
  [[nodiscard]] std::string text() const;
};

/// --vae_tiling and the sizes.
void add_tiling_flags(CommandLine& line, VaeTiling& tiling);
/// Throws UsageError unless sizes are multiples of 8 and tiles overlap by no more than a stride.
void check_tiling(const VaeTiling& tiling);

}  // namespace wan
