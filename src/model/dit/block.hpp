#pragma once
#include "model/dit/cross_attention.hpp"
#include "model/dit/feed_forward.hpp"
#include "model/dit/self_attention.hpp"

namespace wan {

/// Self-attention, cross-attention and feed-forward, each added to the residual stream, the first and the
/// last times a gate (Wan2.1 model.py WanAttentionBlock). A residual and the norm behind it are one op.
struct BlockSaved {
  Tensor modulation;  ///< [R, 6 C] fp32: the block's table plus e0; columns 2 and 5 (times C) are the gates
  SelfAttentionSaved self_attention;
  Tensor x1;  ///< [N, C] after self-attention
  TextKeys text;
  CrossAttentionSaved cross_attention;
  Tensor x2;  ///< [N, C] after cross-attention
  FeedForwardSaved feed_forward;
};

/// What all blocks are conditioned on.
struct Conditioning {
  Tensor e0;       ///< [R, 6 C] fp32
  Tensor context;  ///< [M, C] text embedding; not given when keys and values come from a cache
};

struct ConditioningGradient {
  Tensor e0;       ///< [R, 6 C] fp32, added to
  Tensor context;  ///< [M, C] fp32, added to
};

/// Reads x [N, C] and writes `out` [N, C], unless it is not given: a forward that only fills `saved`.
/// `cached_kv` [M, 2 C] holds normalised keys and values; without it they come from the text embedding.
/// `saved` is new but for what self_attention_forward may be given, or saved.self_attention.y: then that is
/// its result, which stays.
void block_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                   const Conditioning& conditioning, const Tensor& cached_kv, const Tensor& x,
                   BlockSaved& saved, const Tensor& out);

/// The block's table plus e0, as its self-attention takes it.
[[nodiscard]] Tensor block_modulation(const DitContext& context, const ParameterUnit& unit,
                                      const BlockGroups& groups, const Tensor& e0);

/// `saved` is what the forward left under the same Keep, or more. `g` [N, C] holds the gradient of out and
/// becomes that of x.
void block_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                    const Conditioning& conditioning, const BlockSaved& saved, const Tensor& g,
                    const ConditioningGradient& gradient);

}  // namespace wan
