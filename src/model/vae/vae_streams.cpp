#include "model/vae/vae_streams.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

VaeEncoder::VaeEncoder(const Vae& vae, const VaeGeometry& geometry)
    : vae_(&vae),
      geometry_(checked_geometry(vae.config(), geometry, vae.device().kind())),
      walk_(vae.device(), plan_encode(vae.encoder(), vae.config(), geometry_).memory) {
  walk_.begin_clip();
}

std::int64_t VaeEncoder::frames_wanted() const {
  const VaeConfig& config = vae_->config();
  return walk_.at_clip_start() ? config.video_frames(geometry_.chunk)
                               : geometry_.chunk * config.temporal_factor();
}

Tensor VaeEncoder::push(const Tensor& video) {
  const std::int64_t alone = walk_.at_clip_start() ? 1 : 0;
  const std::int64_t factor = vae_->config().temporal_factor();
  const std::int64_t frames = video.shape.rank() == 4 ? video.shape[0] : 0;
  if (video.shape != Shape{frames, geometry_.height, geometry_.width, 3} || !video.dense() || frames < 1 ||
      frames > frames_wanted() || (frames - alone) % factor != 0) {
    throw InternalError(cat("[vae encode] video: found ", video.shape.text(), ", allowed [",
                            alone == 1 ? cat("1 + ", factor, " n") : cat(factor, " n"), " up to ",
                            frames_wanted(), ", ", geometry_.height, ", ", geometry_.width, ", 3]"));
  }
  walk_.begin_chunk();
  const Arena::Scope scope(walk_.scratch());
  const Tensor staged = walk_.scratch().allocate(video.dtype, video.shape);
  walk_.copy(staged, video);
  return vae_->encoder().forward(walk_, staged);
}

VaeDecoder::VaeDecoder(const Vae& vae, const VaeGeometry& geometry)
    : vae_(&vae),
      geometry_(checked_geometry(vae.config(), geometry, vae.device().kind())),
      walk_(vae.device(), plan_decode(vae.decoder(), vae.config(), geometry_).memory) {
  walk_.begin_clip();
}

Tensor VaeDecoder::push(const Tensor& latents, Range range) {
  const VaeConfig& config = vae_->config();
  const std::int64_t rows = geometry_.height / config.spatial_factor();
  const std::int64_t columns = geometry_.width / config.spatial_factor();
  const std::int64_t frames = latents.cols() / (rows * columns);
  if (latents.dtype != DType::f32 || latents.rows() != config.z_dim ||
      latents.cols() != frames * rows * columns || frames < 1 || frames > geometry_.chunk) {
    throw InternalError(cat("[vae decode] latents: found ", name_of(latents.dtype), " ", latents.shape.text(),
                            ", allowed fp32 [", config.z_dim, ", t x ", rows * columns, "], t from 1 to ",
                            geometry_.chunk));
  }
  walk_.begin_chunk();
  const Arena::Scope scope(walk_.scratch());
  const Tensor staged = walk_.scratch().allocate(DType::f32, {config.z_dim, latents.cols()});
  for (std::int64_t channel = 0; channel < config.z_dim; ++channel) {
    walk_.copy(staged.row_range(channel, channel + 1), latents.row_range(channel, channel + 1));
  }
  const Tensor video = vae_->decoder().forward(walk_, staged, {frames, rows, columns, config.z_dim});
  if (range == Range::open) return video;
  FrameMap clamp;
  clamp.x = clamp.y = video;
  clamp.lowest = -1;
  clamp.highest = 1;
  walk_.frames().map(clamp);
  return video;
}

}  // namespace wan
