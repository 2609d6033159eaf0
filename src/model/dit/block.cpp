#include "model/dit/block.hpp"

namespace wan {
namespace {

/// What the self-attention and the feed-forward are multiplied by, of `modulation` [R, 6 C] or its gradient.
Tensor attention_gate(const Tensor& modulation) {
  const std::int64_t dim = modulation.cols() / 6;
  return modulation.col_range(2 * dim, 3 * dim);
}
Tensor feed_forward_gate(const Tensor& modulation) {
  const std::int64_t dim = modulation.cols() / 6;
  return modulation.col_range(5 * dim, 6 * dim);
}

}  // namespace

Tensor block_modulation(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                        const Tensor& e0) {
  const Tensor out = context.walk.tensor(DType::f32, e0.shape);
  context.ops().add_row_vector({e0, unit.group_weight(groups.table).reshaped({e0.cols()}), out});
  return out;
}

void block_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                   const Conditioning& conditioning, const Tensor& cached_kv, const Tensor& x,
                   BlockSaved& saved, const Tensor& out) {
  const std::int64_t dim = context.dim();
  const Tensor& row_index = context.view.row_index;
  saved.modulation = block_modulation(context, unit, groups, conditioning.e0);

  saved.x1 = context.tokens(dim);
  const bool attended = static_cast<bool>(saved.self_attention.y);
  if (!attended) {
    saved.self_attention.y = context.tokens(dim);
    self_attention_forward(context, unit, groups, saved.modulation, x, saved.self_attention);
  }

  if (cached_kv) {
    saved.text.k = cached_kv.col_range(0, context.local_dim());
    saved.text.v = cached_kv.col_range(context.local_dim(), 2 * context.local_dim());
  } else {
    text_keys_forward(context, unit, groups, conditioning.context, saved.text);
  }
  saved.x2 = context.tokens(dim);
  // The feed-forward's result goes where the cross-attention's was; without a backward, both where the
  // self-attention's was, unless that was given.
  const Tensor y = context.keeps_products() || attended ? context.tokens(dim) : saved.self_attention.y;
  cross_attention_forward(context, unit, groups, saved.text,
                          {x, saved.self_attention.y, attention_gate(saved.modulation), row_index, saved.x1},
                          saved.cross_attention, y);

  saved.feed_forward.y = y;
  feed_forward_forward(context, unit, groups, saved.modulation, {saved.x1, y, {}, {}, saved.x2},
                       saved.feed_forward);
  if (!out) return;
  context.ops().gated_residual_forward({saved.x2, y, feed_forward_gate(saved.modulation), row_index, out});
  context.walk.dump(unit.name(), "out", out);
}

void block_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                    const Conditioning& conditioning, const BlockSaved& saved, const Tensor& g,
                    const ConditioningGradient& gradient) {
  const Walk& walk = context.walk;
  const Arena::Scope scope(walk.arena());
  const std::int64_t dim = context.dim();
  const Tensor& row_index = context.view.row_index;
  const Tensor dmodulation = walk.zeros(DType::f32, {context.samples(), 6 * dim});
  const Tensor dy = context.tokens(dim);  ///< of each branch in its turn

  walk.dump(unit.name(), "out.grad", g);
  context.ops().gated_residual_backward({g, saved.feed_forward.y, feed_forward_gate(saved.modulation),
                                         row_index, dy, feed_forward_gate(dmodulation)});
  feed_forward_backward(context, unit, groups, saved.modulation, saved.feed_forward, dy, g, dmodulation);
  cross_attention_backward(context, unit, groups, conditioning.context, saved.text, saved.cross_attention,
                           {g, saved.self_attention.y, attention_gate(saved.modulation), row_index, dy,
                            attention_gate(dmodulation)},
                           gradient.context);
  self_attention_backward(context, unit, groups, saved.modulation, saved.self_attention, dy, g, dmodulation);

  if (const Tensor dtable = unit.group_gradient(groups.table)) {
    context.ops().sum_rows({dmodulation, dtable.reshaped({6 * dim})});
  }
  context.ops().axpby({1, dmodulation, 1, gradient.e0});
  walk.dump(unit.name(), "modulation.grad", dmodulation);
}

}  // namespace wan
