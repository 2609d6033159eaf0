#pragma once
#include "model/dit/context.hpp"
#include "model/dit/weights.hpp"

namespace wan {

/// out = x + gate * (Wo attention(rope(rms(q)), rope(rms(k)), v) + bo), q, k, v linear in LN(x) (1 + scale) +
/// shift (Wan2.1 model.py WanSelfAttention, WanAttentionBlock; diffusers attn1).
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
  Tensor y;                     ///< [N, C] the branch before its gate
};

/// Room for o and lse, which self_attention_forward then fills.
void reserve_attention(const DitContext& context, SelfAttentionSaved& saved);

/// `modulation` [R, 6 C] fp32; columns 0, 1, 2 (times C) are shift, scale, gate. o and lse are allocated
/// unless given, and computed unless `attention_kept`.
void self_attention_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                            const Tensor& modulation, const Tensor& x, SelfAttentionSaved& saved,
                            const Tensor& out);

/// `kept` is what the forward left under the same Keep. `g` [N, C] holds the gradient of out and becomes that
/// of x; `dmodulation` [R, 6 C] fp32 is added to.
void self_attention_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                             const Tensor& modulation, const SelfAttentionSaved& kept, const Tensor& g,
                             const Tensor& dmodulation);

}  // namespace wan
