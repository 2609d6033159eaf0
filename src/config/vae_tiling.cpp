#include "config/vae_tiling.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

/// Pixels of one latent pixel.
constexpr std::int64_t spatial_factor = 8;

void check_axis(const char* axis, std::int64_t tile, std::int64_t stride) {
  if (tile % spatial_factor == 0 && stride % spatial_factor == 0 && stride <= tile && tile <= 2 * stride)
    return;
  throw UsageError(cat("--tile_sample_min_", axis, " and --tile_sample_stride_", axis, ": found ", tile,
                       " and ", stride, ", allowed: multiples of ", spatial_factor,
                       ", the stride at most the tile and at least half of it"));
}

}  // namespace

std::string VaeTiling::text() const {
  if (!enabled) return "none";
  return cat(tile_sample_min_height, "x", tile_sample_min_width, "/", tile_sample_stride_height, "x",
             tile_sample_stride_width);
}

void add_tiling_flags(CommandLine& line, VaeTiling& tiling) {
  line.flag("vae_tiling", tiling.enabled,
            "VAE in overlapping tiles, for GPUs with little memory; the pictures differ a little")
      .flag("tile_sample_min_height", tiling.tile_sample_min_height, within(16, 16384), "pixels", "of a tile")
      .flag("tile_sample_min_width", tiling.tile_sample_min_width, within(16, 16384), "pixels", "of a tile")
      .flag("tile_sample_stride_height", tiling.tile_sample_stride_height, within(16, 16384), "pixels",
            "from tile to tile")
      .flag("tile_sample_stride_width", tiling.tile_sample_stride_width, within(16, 16384), "pixels",
            "from tile to tile");
}

void check_tiling(const VaeTiling& tiling) {
  check_axis("height", tiling.tile_sample_min_height, tiling.tile_sample_stride_height);
  check_axis("width", tiling.tile_sample_min_width, tiling.tile_sample_stride_width);
}

}  // namespace wan
