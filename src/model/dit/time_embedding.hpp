#pragma once
#include "model/dit/context.hpp"
#include "model/dit/weights.hpp"

namespace wan {

/// The time path, all in fp32: e = W2 silu(W1 f + b1) + b2 with f the sinusoid of t, e0 = Wp silu(e) + bp
/// (Wan2.1 model.py WanModel.forward). e feeds the head, e0 the blocks.
struct TimeEmbeddingSaved {
  Tensor sinusoid;    ///< [R, freq_dim]
  Tensor hidden_pre;  ///< [R, C]
  Tensor hidden;      ///< [R, C]: silu of it
  Tensor e;           ///< [R, C]
  Tensor activated;   ///< [R, C]: silu(e)
  Tensor e0;          ///< [R, 6 C]
};

/// `timestep` [R] fp32. e and e0 are allocated unless given.
void time_embedding_forward(const Walk& walk, const DitConfig& config, const Tensor& timestep,
                            const ParameterUnit& unit, const EmbedGroups& groups, TimeEmbeddingSaved& saved);

/// `de` [R, C] holds the head's gradient and is added to; `de0` [R, 6 C] is the sum over blocks.
void time_embedding_backward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                             const TimeEmbeddingSaved& saved, const Tensor& de, const Tensor& de0);

}  // namespace wan
