#pragma once
#include "model/dit/context.hpp"
#include "model/dit/weights.hpp"

namespace wan {

/// y = Wo attention(rope(rms(q)), rope(rms(k)), v) + bo, q, k, v linear in LN(x) (1 + scale) + shift (Wan2.1
/// model.py WanSelfAttention, WanAttentionBlock; diffusers attn1).
struct SelfAttentionSaved {
  Tensor x;                     ///< [N, C] the input, not owned
  Tensor mean, rstd;            ///< [N] fp32
  Tensor normed;                ///< [N, C] modulated; with Keep::all
  Tensor qkv;                   ///< [N, 3 C] before normalisation
  Tensor q, k;                  ///< [N, C] normalised and rotated; with Keep::all
  Tensor rstd_q, rstd_k;        ///< [N] fp32
  Tensor o;                     ///< [N, C]
  Tensor lse;                   ///< [H, N] fp32
  bool attention_kept = false;  ///< o and lse hold the attention's result, from an earlier forward
  Tensor y;                     ///< [N, C] before the gate, allocated by the block
};

/// Room for o and lse, which self_attention_forward then fills.
void reserve_attention(const DitContext& context, SelfAttentionSaved& saved);

/// Writes saved.y. `modulation` [R, 6 C] fp32; columns 0, 1 (times C) are shift, scale. o and lse are
/// allocated unless given, and computed unless `attention_kept`.
void self_attention_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                            const Tensor& modulation, const Tensor& x, SelfAttentionSaved& saved);

/// `kept` is what the forward left under the same Keep. `dy` [N, C] holds the gradient of y and is
/// overwritten; `g` [N, C], the gradient of x, and `dmodulation` [R, 6 C] fp32 are added to.
void self_attention_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                             const Tensor& modulation, const SelfAttentionSaved& kept, const Tensor& dy,
                             const Tensor& g, const Tensor& dmodulation);

}  // namespace wan
