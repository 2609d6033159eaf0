#pragma once
#include "model/vae/vae.hpp"

namespace wan {

/// Encodes clips of one size, chunk by chunk; memory does not depend on a clip's length. One clip at a time.
class VaeEncoder {
 public:
  /// Allocates what every chunk needs. `vae` must outlive this.
  VaeEncoder(const Vae& vae, const VaeGeometry& geometry);

  /// The next push begins a new clip.
  void begin_clip() { walk_.begin_clip(); }

  /// Most frames the next push takes: 1 + f (chunk - 1) at a clip's beginning, f chunk later, f being the
  /// temporal factor (4).
  [[nodiscard]] std::int64_t frames_wanted() const;

  /// video: the clip's next frames, dense [T, H, W, 3], u8 or fp32 in [-1, 1], host or device memory. T = 1 +
  /// f n at the clip's beginning, f n later, at most frames_wanted(). Returns the posterior's mean and log
  /// variance [t, h, w, 2 z], fp32, device memory, valid until the next call. Throws InternalError for
  /// another T.
  [[nodiscard]] Tensor push(const Tensor& video);

  [[nodiscard]] const Vae& vae() const { return *vae_; }
  [[nodiscard]] const VaeGeometry& geometry() const { return geometry_; }

 private:
  const Vae* vae_;
  VaeGeometry geometry_;
  FrameWalk walk_;
};

/// Decodes clips of one size, chunk by chunk; memory does not depend on a clip's length. One clip at a time.
class VaeDecoder {
 public:
  VaeDecoder(const Vae& vae, const VaeGeometry& geometry);

  void begin_clip() { walk_.begin_clip(); }

  /// latents: the clip's next latent frames, [z, t h w] normalised, fp32, host or device memory; may be a
  /// band of columns of the whole clip's [z, T' h w]; t from 1 to geometry().chunk. Returns the video [T, H,
  /// W, 3], fp32, clamped to [-1, 1] or, with an open range, as the network gives it, device memory, valid
  /// until the next call; T = 1 + f (t - 1) at the clip's beginning, f t later.
  enum class Range { clamped, open };
  [[nodiscard]] Tensor push(const Tensor& latents, Range range = Range::clamped);

  [[nodiscard]] const Vae& vae() const { return *vae_; }
  [[nodiscard]] const VaeGeometry& geometry() const { return geometry_; }

 private:
  const Vae* vae_;
  VaeGeometry geometry_;
  FrameWalk walk_;
};

}  // namespace wan
