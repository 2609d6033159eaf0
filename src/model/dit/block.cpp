#include "model/dit/block.hpp"

namespace wan {

void block_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                   const Conditioning& conditioning, const Tensor& cached_kv, const Tensor& x,
                   BlockSaved& saved, const Tensor& out) {
  const std::int64_t dim = context.dim();
  saved.modulation = context.walk.tensor(DType::f32, {conditioning.e0.rows(), 6 * dim});
  const Tensor table = unit.group_weight(groups.table).reshaped({6 * dim});
  context.ops().add_row_vector({conditioning.e0, table, saved.modulation});

  saved.x1 = context.tokens(dim);
  self_attention_forward(context, unit, groups, saved.modulation, x, saved.self_attention, saved.x1);

  if (cached_kv) {
    saved.text.k = cached_kv.col_range(0, context.local_dim());
    saved.text.v = cached_kv.col_range(context.local_dim(), 2 * context.local_dim());
  } else {
    text_keys_forward(context, unit, groups, conditioning.context, saved.text);
  }
  saved.x2 = context.tokens(dim);
  cross_attention_forward(context, unit, groups, saved.text, saved.x1, saved.cross_attention, saved.x2);

  feed_forward_forward(context, unit, groups, saved.modulation, saved.x2, saved.feed_forward, out);
  if (out) context.walk.dump(unit.name(), "out", out);
}

void block_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                    const Conditioning& conditioning, const BlockSaved& saved, const Tensor& g,
                    const ConditioningGradient& gradient) {
  const Walk& walk = context.walk;
  const Arena::Scope scope(walk.arena());
  const std::int64_t dim = context.dim();
  const Tensor dmodulation = walk.zeros(DType::f32, {context.samples(), 6 * dim});

  walk.dump(unit.name(), "out.grad", g);
  feed_forward_backward(context, unit, groups, saved.modulation, saved.feed_forward, g, dmodulation);
  cross_attention_backward(context, unit, groups, conditioning.context, saved.text, saved.cross_attention, g,
                           gradient.context);
  self_attention_backward(context, unit, groups, saved.modulation, saved.self_attention, g, dmodulation);

  if (const Tensor dtable = unit.group_gradient(groups.table)) {
    context.ops().sum_rows({dmodulation, dtable.reshaped({6 * dim})});
  }
  context.ops().axpby({1, dmodulation, 1, gradient.e0});
  walk.dump(unit.name(), "modulation.grad", dmodulation);
}

}  // namespace wan
