#pragma once
#include <memory>
#include <string>

#include "model/vae/layers.hpp"

namespace wan {

/// Halves height and width, and time too if `in_time` (WanResample downsample2d, downsample3d). A clip's
/// first frame is not convolved in time; frame k after it sees frames 2k - 2 .. 2k of the halved input. So in
/// time a clip's first chunk has 1 + 2n frames and becomes 1 + n, later ones have 2n and become n.
class Downsample {
 public:
  Downsample(const VaeBuilder& builder, const std::string& name, std::int64_t channels, bool in_time);

  [[nodiscard]] Tensor forward(FrameWalk& walk, const Tensor& x) const;

 private:
  std::unique_ptr<FrameConvWeight> spatial_;
  std::unique_ptr<FrameConvWeight> temporal_;
};

/// Doubles height and width and halves the channels; doubles time too if `in_time` (WanResample upsample2d,
/// upsample3d). A clip's first frame is neither convolved nor doubled in time, and the frames after it do not
/// see it: 1 + n frames become 1 + 2n.
class Upsample {
 public:
  Upsample(const VaeBuilder& builder, const std::string& name, std::int64_t channels, bool in_time);

  [[nodiscard]] Tensor forward(FrameWalk& walk, const Tensor& x) const;

 private:
  [[nodiscard]] Tensor double_frames(FrameWalk& walk, const Tensor& x) const;

  std::unique_ptr<FrameConvWeight> temporal_;
  std::unique_ptr<FrameConvWeight> spatial_;
};

}  // namespace wan
