#pragma once
#include "model/dit/context.hpp"
#include "model/dit/weights.hpp"

namespace wan {

/// Keys and values of the text for one block. They depend on the prompts alone, not on the denoising step.
struct TextKeys {
  Tensor kv;    ///< [M, 2 C] before normalisation
  Tensor k;     ///< [M, C] normalised
  Tensor v;     ///< [M, C]
  Tensor rstd;  ///< [M] fp32
};

/// From the text embedding `context_rows` [M, C].
void text_keys_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                       const Tensor& context_rows, TextKeys& keys);
/// The same into `kv` [M, 2 C], which receives the normalised keys and the values side by side.
void text_keys_into(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                    const Tensor& context_rows, const Tensor& kv);

/// y = Wo attention(rms(Wq LN(x) + bq), k, v) + bo with an affine LN, without rotation or modulation (Wan2.1
/// model.py WanT2VCrossAttention; diffusers norm2, attn2).
struct CrossAttentionSaved {
  Tensor x;           ///< [N, C] the input, not owned
  Tensor mean, rstd;  ///< [N] fp32
  Tensor normed;      ///< [N, C]; with Keep::all
  Tensor q_pre;       ///< [N, C] before normalisation
  Tensor q;           ///< [N, C]; with Keep::all
  Tensor rstd_q;      ///< [N] fp32
  Tensor o;           ///< [N, C]
  Tensor lse;         ///< [H, N] fp32
};

/// Of x = before.out, which is computed first, together with its norm; writes y [N, C].
void cross_attention_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                             const TextKeys& keys, const GatedResidualForward& before,
                             CrossAttentionSaved& saved, const Tensor& y);

/// `kept` is what the forward left under the same Keep. before.g [N, C] holds the gradient of x + y and
/// becomes that of x; then `before` is computed, together with the norm's backward. `dcontext` [M, C] fp32 is
/// added to.
void cross_attention_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                              const Tensor& context_rows, const TextKeys& keys,
                              const CrossAttentionSaved& kept, const GatedResidualBackward& before,
                              const Tensor& dcontext);

}  // namespace wan
