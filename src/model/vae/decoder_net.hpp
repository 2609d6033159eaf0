#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "model/vae/resample.hpp"
#include "model/vae/vae_config.hpp"

namespace wan {

/// The layers from latents to video (post_quant_conv and WanDecoder3d).
class VaeDecoderNet {
 public:
  VaeDecoderNet(const VaeBuilder& builder, const VaeConfig& config);

  /// latents: [z, t h w] normalised, fp32, maybe a band of columns; `grid` is [t, h, w, z]. Returns video
  /// [T, H, W, 3] fp32, not clamped.
  [[nodiscard]] Tensor forward(FrameWalk& walk, const Tensor& latents, const Shape& grid) const;

 private:
  struct Level {
    std::vector<ResidualBlock> blocks;
    std::optional<Upsample> up;
  };

  [[nodiscard]] Tensor enter(FrameWalk& walk, const Tensor& latents, const Shape& grid) const;

  DType storage_;
  std::vector<float> mean_;
  std::vector<float> deviation_;
  std::unique_ptr<FrameConvWeight> post_quant_;
  CausalConv input_;
  MiddleBlock middle_;
  std::vector<Level> levels_;
  NormedConv output_;
};

}  // namespace wan
