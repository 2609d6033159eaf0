#pragma once
#include "device/ops/gated_residual.hpp"
#include "device/ops/layer_norm.hpp"

namespace wan {

/// The residual, then the norm of what it gives, as one pass: norm.x is residual.out, which the norm sees
/// rounded. Where both have a row_index it is the same. norm.y may not alias what is read.
struct ResidualNormForward {
  GatedResidualForward residual;
  LayerNormForward norm;
};

/// The way back: the norm's backward adds to norm.dx, which then is the residual's g, rounded. The gate is
/// given. residual.dy may be norm.dy.
struct ResidualNormBackward {
  LayerNormBackward norm;
  GatedResidualBackward residual;
};

}  // namespace wan
