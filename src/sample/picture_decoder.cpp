#include "sample/picture_decoder.hpp"

#include <algorithm>

namespace wan {

namespace {

/// Pictures of consecutive frames [count, height, width, 3].
std::vector<Image> pictures_of(const float* frames, std::int64_t count, const FrameSize& size, ToBytes mode) {
  std::vector<Image> pictures;
  for (std::int64_t t = 0; t < count; ++t) {
    pictures.push_back(
        image_from_floats(frames + t * size.height * size.width * 3, size.width, size.height, mode));
  }
  return pictures;
}

}  // namespace

PictureDecoder::PictureDecoder(const Vae& vae, const FrameSize& size, const VaeTiling& tiling)
    : vae_(vae), size_(size) {
  if (tiling.cuts(size.height, size.width)) {
    tiles_.emplace(vae, tiling);
    return;
  }
  whole_.emplace(vae, VaeGeometry{size.height, size.width, 0});
  const std::int64_t frames = vae.config().temporal_factor() * whole_->geometry().chunk;
  for (Staging& chunk : chunks_) {
    chunk = Staging(vae.device(), frames * size.height * size.width * 3 * bytes_of(DType::f32));
  }
}

void PictureDecoder::decode(const std::vector<float>& latent, std::int64_t latent_frames, ToBytes mode,
                            const Sink& sink) {
  if (tiles_) return decode_tiles(latent, latent_frames, mode, sink);
  decode_whole(latent, latent_frames, mode, sink);
}

void PictureDecoder::decode_tiles(const std::vector<float>& latent, std::int64_t latent_frames, ToBytes mode,
                                  const Sink& sink) {
  const std::int64_t frames = vae_.config().video_frames(latent_frames);
  std::vector<float> video(static_cast<std::size_t>(frames * size_.height * size_.width * 3));
  tiles_->decode(latent.data(), latent_frames, size_.height, size_.width, video.data());
  sink(pictures_of(video.data(), frames, size_, mode));
}

void PictureDecoder::decode_whole(const std::vector<float>& latent, std::int64_t latent_frames, ToBytes mode,
                                  const Sink& sink) {
  const std::int64_t factor = vae_.config().spatial_factor();
  const std::int64_t area = (size_.height / factor) * (size_.width / factor);
  const Tensor whole(const_cast<float*>(latent.data()), DType::f32,
                     {vae_.config().z_dim, latent_frames * area});
  std::array<std::int64_t, 2> frames_in{};
  const auto hand_out = [&](std::size_t place) {
    chunks_[place].begin();  // the copy into it is done
    sink(pictures_of(chunks_[place].at<float>(0), frames_in[place], size_, mode));
  };
  whole_->begin_clip();
  std::size_t place = 0;
  for (std::int64_t at = 0; at < latent_frames; place = 1 - place) {
    const std::int64_t next = std::min(at + whole_->geometry().chunk, latent_frames);
    const Tensor video = whole_->push(whole.col_range(at * area, next * area));
    vae_.device().copy(chunks_[place].at<float>(0), video.data, video.bytes());
    chunks_[place].end();
    frames_in[place] = video.shape[0];
    if (at > 0) hand_out(1 - place);
    at = next;
  }
  hand_out(1 - place);
}

}  // namespace wan
