#include "model/dit/text_embedding.hpp"

namespace wan {

void text_embedding_forward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                            const Tensor& text, TextEmbeddingSaved& saved) {
  const Walk& walk = context.walk;
  saved.text = text;
  if (text.dtype != context.storage) {
    saved.text = context.text(text.cols());
    context.ops().cast({text, saved.text});
  }
  if (context.keeps_products()) saved.hidden_pre = context.text(context.dim());
  saved.hidden = context.text(context.dim());
  saved.context = context.text(context.dim());
  Linear(unit, groups.text_1)
      .forward(walk, saved.text, saved.hidden, Activation::gelu_tanh, saved.hidden_pre);
  Linear(unit, groups.text_2).forward(walk, saved.hidden, saved.context);
  walk.dump(unit.name(), "text", saved.context);
}

void text_embedding_backward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                             const TextEmbeddingSaved& saved, const Tensor& dcontext) {
  const Walk& walk = context.walk;
  const Arena::Scope scope(walk.arena());
  const Linear first(unit, groups.text_1);
  const Linear second(unit, groups.text_2);
  walk.dump(unit.name(), "text.grad", dcontext);

  Tensor dy = dcontext;
  if (dcontext.dtype != context.storage) {
    dy = context.text(context.dim());
    context.ops().cast({dcontext, dy});
  }
  const Tensor dhidden = context.text(context.dim());
  second.backward_weight(walk, dy, saved.hidden);
  second.backward_data(walk, dy, dhidden, Activation::gelu_tanh, saved.hidden_pre);
  first.backward_weight(walk, dhidden, saved.text);
}

}  // namespace wan
