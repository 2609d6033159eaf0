#include "prep/clip_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "base/text.hpp"
#include "model/vae/posterior.hpp"

namespace wan {
namespace {

constexpr float largest_latent = 1000;

void check_finite(const std::vector<float>& latent) {
  const bool good = std::all_of(latent.begin(), latent.end(), [](float value) {
    return std::isfinite(value) && std::abs(value) <= largest_latent;
  });
  if (!good)
    throw Reject("latent_not_finite", cat("a latent value is not finite or beyond ", largest_latent));
}

}  // namespace

void ClipEncoder::make_room(const Row& row) {
  vae_.device().synchronize();
  encoder_.reset();  // before the next one takes its memory
  encoder_ = std::make_unique<VaeEncoder>(vae_, VaeGeometry{row.height, row.width, 0});
  const VaeConfig& config = vae_.config();
  const std::int64_t latent_frames = encoder_->geometry().chunk;
  const std::int64_t frames =
      std::max(config.video_frames(latent_frames), config.temporal_factor() * latent_frames);
  for (Staging& chunk : chunks_) {
    chunk = Staging();
    chunk = Staging(vae_.device(), frames * row.height * row.width * 3);
  }
}

void ClipEncoder::prepare(const Row& row) {
  if (encoder_ == nullptr || encoder_->geometry().height != row.height ||
      encoder_->geometry().width != row.width) {
    make_room(row);
  }
  encoder_->begin_clip();
}

ClipMoments ClipEncoder::start(const Row& row, FrameQueue& frames) {
  const std::int64_t all = 2 * row.latent.elements();
  const std::shared_ptr<float> moments = pool_.take(all * bytes_of(DType::f32));
  const std::int64_t made = tiling_.cuts(row.height, row.width) ? encode_tiles(row, frames, moments.get())
                                                                : encode_whole(row, frames, moments.get());
  if (frames.pop() || made != all) {
    throw InternalError(cat("[prep] ", row.source, ": more than ", row.frame_count, " frames, or ", made,
                            " of ", all, " moments"));
  }
  return {moments, vae_.device().record()};
}

void ClipEncoder::gather(const Row& row, FrameQueue& frames, std::int64_t seen, std::int64_t count,
                         std::uint8_t* to) {
  const std::int64_t frame_bytes = row.height * row.width * 3;
  for (std::int64_t k = 0; k < count; ++k, to += frame_bytes) {
    const std::optional<Image> frame = frames.pop();
    if (!frame) {
      throw InternalError(cat("[prep] ", row.source, ": ", seen + k, " of ", row.frame_count, " frames"));
    }
    std::memcpy(to, frame->rgb.data(), static_cast<std::size_t>(frame_bytes));
  }
}

std::int64_t ClipEncoder::encode_whole(const Row& row, FrameQueue& frames, float* moments) {
  prepare(row);
  const std::int64_t all = 2 * row.latent.elements();
  std::int64_t made = 0;
  for (std::int64_t seen = 0; seen < row.frame_count;) {
    const std::int64_t count = std::min(encoder_->frames_wanted(), row.frame_count - seen);
    Staging& chunk = chunks_[chunk_];
    chunk_ = 1 - chunk_;
    chunk.begin();
    gather(row, frames, seen, count, chunk.at<std::uint8_t>(0));
    const Tensor part =
        encoder_->push(Tensor(chunk.at<std::uint8_t>(0), DType::u8, Shape{count, row.height, row.width, 3}));
    if (made + part.elements() > all) {
      throw InternalError(cat("[prep] ", row.source, ": more than ", row.latent.frames, " latent frames"));
    }
    vae_.device().copy(moments + made, part.data, part.bytes());
    chunk.end();
    seen += count;
    made += part.elements();
  }
  return made;
}

std::int64_t ClipEncoder::encode_tiles(const Row& row, FrameQueue& frames, float* moments) {
  std::vector<std::uint8_t> clip(static_cast<std::size_t>(row.frame_count * row.height * row.width * 3));
  gather(row, frames, 0, row.frame_count, clip.data());
  if (vae_.config().latent_frames(row.frame_count) != row.latent.frames) {
    throw InternalError(cat("[prep] ", row.source, ": not ", row.latent.frames, " latent frames"));
  }
  tiles_.encode(Tensor(clip.data(), DType::u8, {row.frame_count, row.height, row.width, 3}), moments);
  return 2 * row.latent.elements();
}

std::vector<float> latent_of(const VaeConfig& config, std::optional<std::uint64_t> sample_seed,
                             const Row& row, const float* moments) {
  std::vector<float> latent(static_cast<std::size_t>(row.latent.elements()));
  const Moments all{moments, row.latent.frames, row.latent.height, row.latent.width};
  const LatentClip out{latent.data(), row.latent.frames};
  if (sample_seed) {
    write_normalised_sample(config, all, 0, random_key(*sample_seed, row.id, 0, Purpose::posterior), out);
  } else {
    write_normalised_mean(config, all, 0, out);
  }
  check_finite(latent);
  return latent;
}

}  // namespace wan
