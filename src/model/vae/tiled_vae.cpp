#include "model/vae/tiled_vae.hpp"

#include <algorithm>
#include <vector>

#include "model/vae/tile_blender.hpp"

namespace wan {
namespace {

/// The stream of tiles of this size, kept from tile to tile.
template <class Stream>
Stream& stream_of(std::map<std::pair<std::int64_t, std::int64_t>, std::unique_ptr<Stream>>& streams,
                  const Vae& vae, std::int64_t height, std::int64_t width) {
  std::unique_ptr<Stream>& stream = streams[{height, width}];
  if (stream == nullptr) stream = std::make_unique<Stream>(vae, VaeGeometry{height, width, 0});
  return *stream;
}

}  // namespace

void TiledDecoder::decode(const float* latents, std::int64_t latent_frames, std::int64_t height,
                          std::int64_t width, float* video) {
  const VaeConfig& config = vae_->config();
  const std::int64_t factor = config.spatial_factor();
  const std::int64_t rows = height / factor;
  const std::int64_t columns = width / factor;
  const std::int64_t frames = config.video_frames(latent_frames);
  TileBlender blender(video, frames,
                      {height, tiling_.tile_sample_min_height, tiling_.tile_sample_stride_height},
                      {width, tiling_.tile_sample_min_width, tiling_.tile_sample_stride_width}, 3);
  for (const TileSpan& down : blender.rows()) {
    for (const TileSpan& across : blender.columns()) {
      VaeDecoder& decoder = stream_of(decoders_, *vae_, down.extent, across.extent);
      const std::int64_t tile_rows = down.extent / factor;
      const std::int64_t tile_columns = across.extent / factor;
      const std::int64_t area = tile_rows * tile_columns;
      std::vector<float> part(static_cast<std::size_t>(config.z_dim * latent_frames * area));
      auto to = part.begin();
      for (std::int64_t plane = 0; plane < config.z_dim * latent_frames; ++plane) {
        for (std::int64_t y = 0; y < tile_rows; ++y, to += tile_columns) {
          const std::int64_t row = plane * rows + down.begin / factor + y;
          std::copy_n(latents + row * columns + across.begin / factor, tile_columns, to);
        }
      }
      const Tensor whole(part.data(), DType::f32, {config.z_dim, latent_frames * area});
      std::vector<float> tile(static_cast<std::size_t>(frames * down.extent * across.extent * 3));
      float* next = tile.data();
      decoder.begin_clip();
      for (std::int64_t at = 0; at < latent_frames;) {
        const std::int64_t end = std::min(at + decoder.geometry().chunk, latent_frames);
        const Tensor made = decoder.push(whole.col_range(at * area, end * area), VaeDecoder::Range::open);
        vae_->device().copy(next, made.data, made.bytes());
        next += made.elements();
        at = end;
      }
      vae_->device().synchronize();
      blender.add(std::move(tile));
    }
  }
  const std::int64_t values = frames * height * width * 3;
  std::transform(video, video + values, video, [](float value) { return std::clamp(value, -1.0F, 1.0F); });
}

void TiledEncoder::encode(const Tensor& video, float* moments) {
  const VaeConfig& config = vae_->config();
  const std::int64_t factor = config.spatial_factor();
  const std::int64_t frames = video.shape[0];
  const std::int64_t height = video.shape[1];
  const std::int64_t width = video.shape[2];
  const std::int64_t latent_frames = config.latent_frames(frames);
  const auto axis = [&](std::int64_t extent, std::int64_t tile, std::int64_t stride) {
    return TileBlender::Axis{extent / factor, tile / factor, stride / factor};
  };
  TileBlender blender(
      moments, latent_frames, axis(height, tiling_.tile_sample_min_height, tiling_.tile_sample_stride_height),
      axis(width, tiling_.tile_sample_min_width, tiling_.tile_sample_stride_width), 2 * config.z_dim);
  for (const TileSpan& down : blender.rows()) {
    for (const TileSpan& across : blender.columns()) {
      const std::int64_t tile_height = down.extent * factor;
      const std::int64_t tile_width = across.extent * factor;
      VaeEncoder& encoder = stream_of(encoders_, *vae_, tile_height, tile_width);
      std::vector<std::uint8_t> part(static_cast<std::size_t>(frames * tile_height * tile_width * 3));
      auto to = part.begin();
      for (std::int64_t t = 0; t < frames; ++t) {
        for (std::int64_t y = 0; y < tile_height; ++y, to += tile_width * 3) {
          const std::int64_t row = t * height + down.begin * factor + y;
          std::copy_n(video.as<std::uint8_t>() + (row * width + across.begin * factor) * 3, tile_width * 3,
                      to);
        }
      }
      const Tensor whole(part.data(), DType::u8, {frames, tile_height, tile_width, 3});
      std::vector<float> tile(
          static_cast<std::size_t>(latent_frames * down.extent * across.extent * 2 * config.z_dim));
      float* next = tile.data();
      encoder.begin_clip();
      for (std::int64_t at = 0; at < frames;) {
        const std::int64_t end = std::min(frames, at + encoder.frames_wanted());
        const Tensor made = encoder.push(frame_range(whole, at, end));
        vae_->device().copy(next, made.data, made.bytes());
        next += made.elements();
        at = end;
      }
      vae_->device().synchronize();
      blender.add(std::move(tile));
    }
  }
}

}  // namespace wan
