#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace wan {

/// Architecture of a Wan 2.1 video autoencoder: diffusers' vae/config.json of AutoencoderKLWan.
struct VaeConfig {
  std::int64_t base_dim = 96;
  std::int64_t z_dim = 16;
  std::vector<std::int64_t> dim_mult = {1, 2, 4, 4};  ///< width of each level over base_dim
  std::int64_t num_res_blocks = 2;
  /// For each step between levels, whether the encoder halves time there too (diffusers spells it
  /// temperal_downsample).
  std::vector<bool> temporal_downsample = {false, true, true};
  std::vector<float> latents_mean;  ///< z_dim
  std::vector<float> latents_std;   ///< z_dim, positive

  /// Reads config.json; absent keys have the values above, absent latents_mean and latents_std are Wan 2.1's
  /// own (the defaults of diffusers' class). Throws DataError(source) for values out of range, for statistics
  /// that are absent where z_dim is not 16, and for what is not Wan 2.1: residual blocks, patches, attention
  /// inside levels, a decoder width of its own.
  [[nodiscard]] static VaeConfig from_json(const Json& json, const std::string& source);

  [[nodiscard]] std::int64_t levels() const { return static_cast<std::int64_t>(dim_mult.size()); }
  /// Channels at a level, 0 being the pixels' resolution.
  [[nodiscard]] std::int64_t width(std::int64_t level) const {
    return base_dim * dim_mult[static_cast<std::size_t>(level)];
  }
  /// Pixels per latent pixel along height and width.
  [[nodiscard]] std::int64_t spatial_factor() const { return std::int64_t{1} << (levels() - 1); }
  /// Frames per latent frame, but for the first frame, which has a latent frame of its own.
  [[nodiscard]] std::int64_t temporal_factor() const;
  /// Latent frames of a clip; trailing frames that fill no latent frame are not counted.
  [[nodiscard]] std::int64_t latent_frames(std::int64_t frames) const {
    return frames < 1 ? 0 : 1 + (frames - 1) / temporal_factor();
  }
  [[nodiscard]] std::int64_t video_frames(std::int64_t latent_frames) const {
    return latent_frames < 1 ? 0 : 1 + (latent_frames - 1) * temporal_factor();
  }
};

}  // namespace wan
