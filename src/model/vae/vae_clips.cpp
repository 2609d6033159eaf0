#include "model/vae/vae_clips.hpp"

#include <algorithm>

namespace wan {

void encode_clip(VaeEncoder& encoder, const Tensor& video, const FrameSink& sink) {
  const VaeConfig& config = encoder.vae().config();
  const std::int64_t frames = config.video_frames(config.latent_frames(video.shape[0]));
  encoder.begin_clip();
  for (std::int64_t first = 0; first < frames;) {
    const std::int64_t end = std::min(frames, first + encoder.frames_wanted());
    const std::int64_t first_latent = config.latent_frames(first);
    sink(encoder.push(frame_range(video, first, end)), first_latent);
    first = end;
  }
}

void decode_clip(VaeDecoder& decoder, const Tensor& latents, const FrameSink& sink) {
  const VaeConfig& config = decoder.vae().config();
  const VaeGeometry& geometry = decoder.geometry();
  const std::int64_t factor = config.spatial_factor();
  const std::int64_t pixels = (geometry.height / factor) * (geometry.width / factor);
  const std::int64_t frames = latents.cols() / pixels;
  decoder.begin_clip();
  for (std::int64_t first = 0; first < frames; first += geometry.chunk) {
    const std::int64_t end = std::min(frames, first + geometry.chunk);
    sink(decoder.push(latents.col_range(first * pixels, end * pixels)), config.video_frames(first));
  }
}

}  // namespace wan
