#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "config/frame_size.hpp"
#include "device/staging.hpp"
#include "media/pixels.hpp"
#include "model/vae/tiled_vae.hpp"

namespace wan {

/// Latents of one size to pictures, chunk by chunk, so that memory does not grow with the length: the device
/// decodes one while the host turns the floats of the one before into bytes.
class PictureDecoder {
 public:
  /// Takes the memory of a VaeDecoder, or of those of a TiledDecoder; tiles come as one chunk. `vae` must
  /// outlive this.
  PictureDecoder(const Vae& vae, const FrameSize& size, const VaeTiling& tiling);

  /// Takes the frames of a chunk, in order.
  using Sink = std::function<void(std::vector<Image> frames)>;
  /// `latent` [z, frames, h, w] normalised.
  void decode(const std::vector<float>& latent, std::int64_t latent_frames, ToBytes mode, const Sink& sink);

  [[nodiscard]] FrameSize size() const { return size_; }

 private:
  void decode_whole(const std::vector<float>& latent, std::int64_t latent_frames, ToBytes mode,
                    const Sink& sink);
  void decode_tiles(const std::vector<float>& latent, std::int64_t latent_frames, ToBytes mode,
                    const Sink& sink);

  const Vae& vae_;
  FrameSize size_;
  std::optional<VaeDecoder> whole_;
  std::optional<TiledDecoder> tiles_;
  std::array<Staging, 2> chunks_;
};

}  // namespace wan
