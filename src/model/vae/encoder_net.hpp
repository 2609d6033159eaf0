#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "model/vae/resample.hpp"
#include "model/vae/vae_config.hpp"

namespace wan {

/// The layers from video to the posterior's moments (WanEncoder3d and quant_conv).
class VaeEncoderNet {
 public:
  VaeEncoderNet(const VaeBuilder& builder, const VaeConfig& config);

  /// video: [T, H, W, 3], u8 (0 is -1, 255 is 1) or fp32 in [-1, 1]. Returns mean and log variance, [t, h, w,
  /// 2 z] fp32.
  [[nodiscard]] Tensor forward(FrameWalk& walk, const Tensor& video) const;

 private:
  struct Level {
    std::vector<ResidualBlock> blocks;
    std::optional<Downsample> down;
  };

  DType storage_;
  CausalConv input_;
  std::vector<Level> levels_;
  MiddleBlock middle_;
  NormedConv output_;
  std::unique_ptr<FrameConvWeight> quant_;
};

}  // namespace wan
