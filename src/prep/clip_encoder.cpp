#include "prep/clip_encoder.hpp"

#include <algorithm>
#include <cmath>

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

ClipEncoder::ClipEncoder(const Vae& vae, std::optional<std::uint64_t> sample_seed)
    : vae_(vae), sample_seed_(sample_seed) {}

void ClipEncoder::start(const Row& row) {
  if (encoder_ == nullptr || encoder_->geometry().height != row.height ||
      encoder_->geometry().width != row.width) {
    encoder_.reset();  // before the next one takes its memory
    encoder_ = std::make_unique<VaeEncoder>(vae_, VaeGeometry{row.height, row.width, 0});
  }
  encoder_->begin_clip();
  done_ = 0;
}

std::vector<float> ClipEncoder::encode(const Row& row, FrameQueue& frames) {
  start(row);
  std::vector<float> latent(static_cast<std::size_t>(row.latent.elements()));
  const std::int64_t frame_bytes = row.height * row.width * 3;
  std::int64_t waiting = 0;
  std::int64_t seen = 0;
  chunk_.resize(static_cast<std::size_t>(encoder_->frames_wanted() * frame_bytes));
  while (const std::optional<Image> frame = frames.pop()) {
    if (waiting == 0) chunk_.resize(static_cast<std::size_t>(encoder_->frames_wanted() * frame_bytes));
    std::copy(frame->rgb.begin(), frame->rgb.end(), chunk_.begin() + waiting * frame_bytes);
    ++waiting;
    ++seen;
    if (waiting == encoder_->frames_wanted() || seen == row.frame_count) {
      push(row, waiting, latent);
      waiting = 0;
    }
  }
  if (seen != row.frame_count || done_ != row.latent.frames) {
    throw InternalError(cat("[prep] ", row.source, ": ", seen, " of ", row.frame_count, " frames, ", done_,
                            " of ", row.latent.frames, " latent frames"));
  }
  check_finite(latent);
  return latent;
}

void ClipEncoder::push(const Row& row, std::int64_t frames, std::vector<float>& latent) {
  const Tensor moments =
      encoder_->push(Tensor(chunk_.data(), DType::u8, Shape{frames, row.height, row.width, 3}));
  moments_.resize(static_cast<std::size_t>(moments.elements()));
  vae_.device().copy(moments_.data(), moments.data, moments.bytes());
  vae_.device().synchronize();
  const Moments part{moments_.data(), moments.shape[0], moments.shape[1], moments.shape[2]};
  const LatentClip out{latent.data(), row.latent.frames};
  if (sample_seed_) {
    const RandomKey key = random_key(*sample_seed_, row.id, 0, Purpose::posterior);
    write_normalised_sample(vae_.config(), part, done_, key, out);
  } else {
    write_normalised_mean(vae_.config(), part, done_, out);
  }
  done_ += part.frames;
}

}  // namespace wan
