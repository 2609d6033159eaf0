#pragma once
#include <memory>
#include <optional>
#include <string>

#include "device/device.hpp"
#include "model/parameters.hpp"
#include "model/vae/frame_walk.hpp"

namespace wan {

/// What layers are built with: where their weights come from and go to.
struct VaeBuilder {
  FrameOps& frames;
  Device* device = nullptr;  ///< without one (planning) norm weights have addresses that nobody may touch
  const Parameters::Source* source = nullptr;  ///< without one (planning) nothing is read
  DType storage = DType::f32;

  /// Reads `name`.weight, which has an axis for time or not, and `name`.bias.
  enum class Axes { time, per_frame };
  [[nodiscard]] std::unique_ptr<FrameConvWeight> conv(const std::string& name,
                                                      const FrameConvGeometry& geometry,
                                                      Axes axes = Axes::time) const;
  /// Reads the norm weight `name`.gamma of `shape`, [C, 1, 1] or [C, 1, 1, 1].
  [[nodiscard]] DeviceTensor gamma(const std::string& name, const Shape& shape) const;
};

/// Geometry of a 1x1x1 convolution.
[[nodiscard]] FrameConvGeometry pointwise_conv(std::int64_t inputs, std::int64_t outputs);

/// A convolution 3x3x3 over this and the two frames before it (WanCausalConv3d).
class CausalConv {
 public:
  CausalConv(const VaeBuilder& builder, const std::string& name, std::int64_t inputs, std::int64_t outputs);

  /// Scratch memory for an input of `shape`; fill `fresh`, then call forward.
  [[nodiscard]] CausalInput input(FrameWalk& walk, const Shape& shape) const;
  /// y = conv(input), or y += that.
  void forward(FrameWalk& walk, const CausalInput& input, const Tensor& y, bool accumulate) const;

  [[nodiscard]] std::int64_t outputs() const { return weight_->geometry().outputs; }

 private:
  std::unique_ptr<FrameConvWeight> weight_;
};

/// Norm and SiLU, then a causal convolution: half of a residual block, and the end of encoder and decoder.
class NormedConv {
 public:
  NormedConv(const VaeBuilder& builder, const std::string& norm, const std::string& conv, std::int64_t inputs,
             std::int64_t outputs);

  void forward(FrameWalk& walk, const Tensor& x, const Tensor& y, bool accumulate) const;
  [[nodiscard]] std::int64_t outputs() const { return conv_.outputs(); }

 private:
  DeviceTensor gamma_;
  CausalConv conv_;
};

/// Two of those and a shortcut, 1x1x1 where the width changes (WanResidualBlock).
class ResidualBlock {
 public:
  ResidualBlock(const VaeBuilder& builder, const std::string& name, std::int64_t inputs,
                std::int64_t outputs);

  /// Returns x itself, overwritten, where the width stays.
  [[nodiscard]] Tensor forward(FrameWalk& walk, const Tensor& x) const;

 private:
  NormedConv first_;
  NormedConv second_;
  std::unique_ptr<FrameConvWeight> shortcut_;
};

/// Self-attention of the pixels of each frame, one head (WanAttentionBlock).
class FrameAttention {
 public:
  FrameAttention(const VaeBuilder& builder, const std::string& name, std::int64_t channels);

  /// x += attention(norm(x)).
  void forward(FrameWalk& walk, const Tensor& x) const;

 private:
  DeviceTensor gamma_;
  std::unique_ptr<FrameConvWeight> qkv_;
  std::unique_ptr<FrameConvWeight> projection_;
};

/// Residual block, attention, residual block (WanMidBlock).
class MiddleBlock {
 public:
  MiddleBlock(const VaeBuilder& builder, const std::string& name, std::int64_t channels);

  [[nodiscard]] Tensor forward(FrameWalk& walk, const Tensor& x) const;

 private:
  ResidualBlock before_;
  FrameAttention attention_;
  ResidualBlock after_;
};

}  // namespace wan
