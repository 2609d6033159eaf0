#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "tensor/tensor.hpp"

namespace wan {

/// What a convolution does to the height and width of a frame.
enum class FrameScale {
  same,   ///< zero padding of 1 around a 3x3 kernel, none for 1x1
  half,   ///< 3x3 with stride 2 after one row of zeros below and one column at the right (even sizes)
  twice,  ///< 3x3, padding 1, on frames enlarged by nearest neighbour (each pixel becomes 2x2)
};

/// A convolution of channels-last frames, as the Wan VAE uses them (diffusers autoencoder_kl_wan.py:
/// WanCausalConv3d, WanResample).
struct FrameConvGeometry {
  std::int64_t inputs = 0;        ///< I
  std::int64_t outputs = 0;       ///< O
  std::int64_t frames = 1;        ///< kernel extent in time: 1 or 3
  std::int64_t size = 1;          ///< kernel extent in height and width: 1 or 3
  std::int64_t frame_stride = 1;  ///< 1 or 2
  FrameScale scale = FrameScale::same;
  /// Output frame t's channels [0, O/2) become frame 2t, [O/2, O) frame 2t + 1: twice the frames of O/2
  /// channels.
  bool interleave = false;
};

/// A convolution's weight and bias as the body that made it wants them.
class FrameConvWeight {
 public:
  FrameConvWeight(const FrameConvGeometry& geometry, DType storage)
      : geometry_(geometry), storage_(storage) {}
  virtual ~FrameConvWeight() = default;
  FrameConvWeight(const FrameConvWeight&) = delete;
  FrameConvWeight& operator=(const FrameConvWeight&) = delete;

  [[nodiscard]] const FrameConvGeometry& geometry() const { return geometry_; }
  [[nodiscard]] DType storage() const { return storage_; }

 private:
  FrameConvGeometry geometry_;
  DType storage_;
};

/// y = conv(x) + bias, or y += that. Time is not padded but for `front` frames of zeros before x: a causal
/// convolution with a cache has its history in x's first frames. Sums in fp32, rounded once; in bf16 the
/// product may be rounded before bias and y are added, the bias of an interleaved one before it is added, and
/// of an enlarging one the sums of weights that meet the same pixel.
/// Enlarging convolutions do not accumulate.
struct FrameConv {
  Tensor x;                                 ///< [T, H, W, I] in the weight's storage dtype
  const FrameConvWeight* weight = nullptr;  ///< of the same body
  std::int64_t front = 0;
  bool accumulate = false;
  Tensor y;  ///< frame_conv_output(…), fp32 or x's dtype
  /// The memory of `front` frames lies right before x's and may be overwritten.
  bool room_in_front = false;
};

/// Shape of y: T' = (front + T - kernel) / stride + 1 frames (twice that when interleaved), scaled height and
/// width.
[[nodiscard]] Shape frame_conv_output(const FrameConvGeometry& geometry, const Shape& x, std::int64_t front);

/// y = act(x / max(|x|, 1e-12) sqrt(C) gamma) over the channels of each pixel, act = SiLU or none
/// (WanRMS_norm, which is F.normalize). Arithmetic in fp32, rounded once. y may be x.
struct FrameNorm {
  Tensor x;      ///< [T, H, W, C]
  Tensor gamma;  ///< [C] fp32
  bool silu = false;
  Tensor y;  ///< [T, H, W, C] in x's dtype
};

/// Where a pixel's channels lie.
enum class FrameLayout {
  pixels,  ///< dense [T, H, W, C]
  planes,  ///< [C, T H W], may be a band of columns: some frames of a longer clip
};

/// y = clamp(x * scale[c] + shift[c], lowest, highest): between the layouts and dtypes of videos, latents and
/// activations. Without scale and shift, only converted. y may be x where layout and dtype stay.
struct FrameMap {
  /// With scale and shift; latents have 16.
  static constexpr std::int64_t most_scaled_channels = 32;

  Tensor x;  ///< fp32, bf16 or u8
  FrameLayout from = FrameLayout::pixels;
  std::vector<float> scale;  ///< C, or empty
  std::vector<float> shift;  ///< C, or empty
  float lowest = -std::numeric_limits<float>::infinity();
  float highest = std::numeric_limits<float>::infinity();
  FrameLayout to = FrameLayout::pixels;
  Tensor y;  ///< fp32 or bf16, as many elements
};

}  // namespace wan
