#pragma once
#include "model/dit/context.hpp"
#include "model/dit/weights.hpp"

namespace wan {

/// y = W2 gelu_tanh(W1 (LN(x) (1 + scale) + shift) + b1) + b2 (Wan2.1 model.py WanAttentionBlock.ffn).
struct FeedForwardSaved {
  Tensor x;           ///< [N, C] the input, not owned
  Tensor mean, rstd;  ///< [N] fp32
  Tensor normed;      ///< [N, C] modulated; with Keep::all
  Tensor hidden_pre;  ///< [N, F]
  Tensor hidden;      ///< [N, F]; with Keep::all
  Tensor y;           ///< [N, C] before the gate, allocated by the block
};

/// Of x = before.out, which is computed first, together with its norm; writes saved.y, which may be before.y.
/// `modulation` [R, 6 C] fp32; columns 3, 4 (times C) are shift, scale.
void feed_forward_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                          const Tensor& modulation, const GatedResidualForward& before,
                          FeedForwardSaved& saved);

/// `kept` is what the forward left under the same Keep; with Keep::all its `hidden` is overwritten. `dy` [N,
/// C] holds the gradient of y and is overwritten; `g` [N, C], the gradient of x, and `dmodulation` [R, 6 C]
/// fp32 are added to.
void feed_forward_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                           const Tensor& modulation, const FeedForwardSaved& kept, const Tensor& dy,
                           const Tensor& g, const Tensor& dmodulation);

}  // namespace wan
