#pragma once
#include "model/dit/context.hpp"
#include "model/dit/weights.hpp"

namespace wan {

/// context = W2 gelu_tanh(W1 text + b1) + b2 on the kept text rows (Wan2.1 model.py text_embedding).
struct TextEmbeddingSaved {
  Tensor text;        ///< [M, text_dim] in storage dtype
  Tensor hidden_pre;  ///< [M, C]
  Tensor hidden;      ///< [M, C]
  Tensor context;     ///< [M, C]
};

/// `text` [M, text_dim], fp32 or bf16, laid out as model/dit/pack.hpp says.
void text_embedding_forward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                            const Tensor& text, TextEmbeddingSaved& saved);

/// `dcontext` [M, C] fp32 is the sum over blocks. The text encoder is not trained: no gradient of `text`.
void text_embedding_backward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                             const TextEmbeddingSaved& saved, const Tensor& dcontext);

}  // namespace wan
