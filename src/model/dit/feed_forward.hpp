#pragma once
#include "model/dit/context.hpp"
#include "model/dit/weights.hpp"

namespace wan {

/// out = x + gate * (W2 gelu_tanh(W1 (LN(x) (1 + scale) + shift) + b1) + b2) (Wan2.1 model.py
/// WanAttentionBlock.ffn).
struct FeedForwardSaved {
  Tensor x;           ///< [N, C] the input, not owned
  Tensor mean, rstd;  ///< [N] fp32
  Tensor normed;      ///< [N, C] modulated; with Keep::all
  Tensor hidden_pre;  ///< [N, F]
  Tensor hidden;      ///< [N, F]; with Keep::all
  Tensor y;           ///< [N, C] the branch before its gate
};

/// `out` may be left out where y alone is wanted, for the backward. `modulation` [R, 6 C] fp32; columns 3, 4,
/// 5 (times C) are shift, scale, gate.
void feed_forward_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                          const Tensor& modulation, const Tensor& x, FeedForwardSaved& saved,
                          const Tensor& out);

/// `kept` is what the forward left under the same Keep; with Keep::all its `hidden` is overwritten. `g` [N,
/// C] holds the gradient of out and becomes that of x; `dmodulation` [R, 6 C] fp32 is added to.
void feed_forward_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                           const Tensor& modulation, const FeedForwardSaved& kept, const Tensor& g,
                           const Tensor& dmodulation);

}  // namespace wan
