#pragma once
#include "model/dit/context.hpp"
#include "model/dit/weights.hpp"

namespace wan {

/// y = W (LN(x) (1 + scale) + shift) + b, (shift, scale) = table + e, both with the same e (Wan2.1 model.py
/// Head); then tokens become latents (unpatchify).
struct HeadSaved {
  Tensor x;             ///< [N, C] the input, not owned
  Tensor shift, scale;  ///< [R, C] fp32
  Tensor mean, rstd;    ///< [N] fp32
  Tensor normed;        ///< [N, C]
};

/// `e` [R, C] fp32. `prediction` flat, in latent layout, fp32 or bf16.
void head_forward(const DitContext& context, const ParameterUnit& unit, const HeadGroups& groups,
                  const Tensor& e, const Tensor& x, HeadSaved& saved, const Tensor& prediction);

/// `dprediction` flat, fp32 or bf16. `g` [N, C] and `de` [R, C] fp32 are added to.
void head_backward(const DitContext& context, const ParameterUnit& unit, const HeadGroups& groups,
                   const HeadSaved& saved, const Tensor& dprediction, const Tensor& g, const Tensor& de);

}  // namespace wan
