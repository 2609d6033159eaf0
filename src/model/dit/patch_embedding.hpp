#pragma once
#include "model/dit/context.hpp"
#include "model/dit/weights.hpp"

namespace wan {

/// x = W p + b for each token's patch: the convolution with kernel and stride (1, 2, 2) (Wan2.1 model.py
/// patch_embedding).
struct PatchEmbeddingSaved {
  Tensor patches;  ///< [N, 4 Cin]
};

/// `latents` flat, fp32 or bf16, samples one after the other; `x` [N, C] is written.
void patch_embedding_forward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                             const Tensor& latents, PatchEmbeddingSaved& saved, const Tensor& x);

/// `dx` [N, C]. The latents are data: they get no gradient.
void patch_embedding_backward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                              const PatchEmbeddingSaved& saved, const Tensor& dx);

}  // namespace wan
