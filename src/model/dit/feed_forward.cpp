#include "model/dit/feed_forward.hpp"

namespace wan {

namespace {

/// LN(x) (1 + scale) + shift into newly allocated `normed`, and its statistics.
LayerNormForward input_norm(const DitContext& context, const Tensor& modulation, FeedForwardSaved& saved) {
  const std::int64_t dim = context.dim();
  saved.normed = context.tokens(dim);
  LayerNormForward norm;
  norm.x = saved.x;
  norm.eps = context.eps();
  norm.shift = modulation.col_range(3 * dim, 4 * dim);
  norm.scale = modulation.col_range(4 * dim, 5 * dim);
  norm.row_index = context.view.row_index;
  norm.y = saved.normed;
  norm.mean = saved.mean;
  norm.rstd = saved.rstd;
  return norm;
}

}  // namespace

void feed_forward_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                          const Tensor& modulation, const GatedResidualForward& before,
                          FeedForwardSaved& saved) {
  const Walk& walk = context.walk;
  const auto products = context.dropped_unless(context.keeps_products());
  saved.x = before.out;
  saved.mean = context.per_token();
  saved.rstd = context.per_token();
  if (context.keeps_products()) saved.hidden_pre = context.tokens(context.config.ffn_dim);

  const auto elementwise = context.dropped_unless(context.keeps_all());
  context.ops().residual_norm_forward({before, input_norm(context, modulation, saved)});
  saved.hidden = context.tokens(context.config.ffn_dim);
  Linear(unit, groups.ffn_in)
      .forward(walk, saved.normed, saved.hidden, Activation::gelu_tanh, saved.hidden_pre);
  Linear(unit, groups.ffn_out).forward(walk, saved.hidden, saved.y);

  walk.dump(unit.name(), "norm3", saved.normed);
  walk.dump(unit.name(), "ffn.hidden", saved.hidden);
  walk.dump(unit.name(), "ffn", saved.y);
}

void feed_forward_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                           const Tensor& modulation, const FeedForwardSaved& kept, const Tensor& dy,
                           const Tensor& g, const Tensor& dmodulation) {
  const Walk& walk = context.walk;
  const Arena::Scope scope(walk.arena());
  const std::int64_t dim = context.dim();
  const Linear first(unit, groups.ffn_in);
  const Linear second(unit, groups.ffn_out);
  FeedForwardSaved saved = kept;  // what was not kept is made again
  if (!context.keeps_all()) {
    saved.hidden = context.tokens(context.config.ffn_dim);
    context.ops().activation_forward({Activation::gelu_tanh, saved.hidden_pre, saved.hidden});
  }
  const Tensor& dhidden = saved.hidden;

  second.backward_weight(walk, dy, saved.hidden);
  second.backward_data(walk, dy, dhidden, Activation::gelu_tanh, saved.hidden_pre);
  if (!context.keeps_all()) context.ops().layer_norm_forward(input_norm(context, modulation, saved));
  first.backward_weight(walk, dhidden, saved.normed);
  const Tensor& dnormed = dy;
  first.backward_data(walk, dhidden, dnormed);

  LayerNormBackward norm;
  norm.dy = dnormed;
  norm.x = saved.x;
  norm.mean = saved.mean;
  norm.rstd = saved.rstd;
  norm.scale = modulation.col_range(4 * dim, 5 * dim);
  norm.row_index = context.view.row_index;
  norm.dx = g;
  norm.dshift = dmodulation.col_range(3 * dim, 4 * dim);
  norm.dscale = dmodulation.col_range(4 * dim, 5 * dim);
  context.ops().layer_norm_backward(norm);

  walk.dump(unit.name(), "ffn.hidden.grad", dhidden);
  walk.dump(unit.name(), "norm3.grad", dnormed);
}

}  // namespace wan
