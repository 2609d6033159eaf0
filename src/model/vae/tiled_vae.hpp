#pragma once
#include <map>
#include <memory>
#include <utility>

#include "config/vae_tiling.hpp"
#include "model/vae/vae_streams.hpp"

namespace wan {

/// Whole clips in spatial tiles: each tile goes through all its frames by itself, so that device memory is
/// that of a tile; the clip itself and a row of tiles are on the host. What diffusers' tiled_decode and
/// tiled_encode compute.
class TiledDecoder {
 public:
  /// `vae` must outlive this. Throws ConfigError for tiles that are no multiples of the spatial factor.
  TiledDecoder(const Vae& vae, const VaeTiling& tiling) : vae_(&vae), tiling_(tiling) {}

  /// `latents` [z, T', h, w] normalised, `video` [T, H, W, 3] in [-1, 1], both on the host. Waits for the
  /// device.
  void decode(const float* latents, std::int64_t latent_frames, std::int64_t height, std::int64_t width,
              float* video);

 private:
  const Vae* vae_;
  VaeTiling tiling_;
  /// By height and width: at most four sizes, those cut off at the right and below being smaller.
  std::map<std::pair<std::int64_t, std::int64_t>, std::unique_ptr<VaeDecoder>> decoders_;
};

class TiledEncoder {
 public:
  TiledEncoder(const Vae& vae, const VaeTiling& tiling) : vae_(&vae), tiling_(tiling) {}

  /// `video` dense [T, H, W, 3] u8, T = 1 + f n, `moments` [T', h, w, 2 z], both on the host. Waits for the
  /// device.
  void encode(const Tensor& video, float* moments);

 private:
  const Vae* vae_;
  VaeTiling tiling_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::unique_ptr<VaeEncoder>> encoders_;
};

}  // namespace wan
