#include "model/dit/head.hpp"

namespace wan {
namespace {

/// Row `index` of the [1, 2 C] modulation table or its gradient.
Tensor table_row(const Tensor& table, std::int64_t index) {
  const std::int64_t dim = table.elements() / 2;
  return table.reshaped({2, dim}).row_range(index, index + 1).reshaped({dim});
}

}  // namespace

void head_forward(const DitContext& context, const ParameterUnit& unit, const HeadGroups& groups,
                  const Tensor& e, const Tensor& x, HeadSaved& saved, const Tensor& prediction) {
  const Walk& walk = context.walk;
  saved.x = x;
  saved.shift = walk.tensor(DType::f32, e.shape);
  saved.scale = walk.tensor(DType::f32, e.shape);
  saved.mean = context.per_token();
  saved.rstd = context.per_token();
  saved.normed = context.tokens(context.dim());
  const Tensor table = unit.group_weight(groups.table);
  context.ops().add_row_vector({e, table_row(table, 0), saved.shift});
  context.ops().add_row_vector({e, table_row(table, 1), saved.scale});

  LayerNormForward norm;
  norm.x = x;
  norm.eps = context.eps();
  norm.shift = saved.shift;
  norm.scale = saved.scale;
  norm.row_index = context.view.row_index;
  norm.y = saved.normed;
  norm.mean = saved.mean;
  norm.rstd = saved.rstd;
  context.ops().layer_norm_forward(norm);

  const Arena::Scope scope(walk.arena());
  const Tensor tokens = walk.tensor(DType::f32, {context.rows(), 4 * context.config.out_channels});
  Linear(unit, groups.out).forward(walk, saved.normed, tokens);
  context.ops().unpatchify({tokens, &context.pack().layout(), PatchOrder::channel_last, prediction});
  walk.dump(unit.name(), "norm_out", saved.normed);
  walk.dump(unit.name(), "prediction", prediction);
}

void head_backward(const DitContext& context, const ParameterUnit& unit, const HeadGroups& groups,
                   const HeadSaved& saved, const Tensor& dprediction, const Tensor& g, const Tensor& de) {
  const Walk& walk = context.walk;
  const Arena::Scope scope(walk.arena());
  const Linear projection(unit, groups.out);
  const Tensor dy = context.tokens(4 * context.config.out_channels);
  const Tensor dnormed = context.tokens(context.dim());
  const Tensor dshift = walk.zeros(DType::f32, saved.shift.shape);
  const Tensor dscale = walk.zeros(DType::f32, saved.scale.shape);

  context.ops().patchify({dprediction, &context.pack().layout(), PatchOrder::channel_last, dy});
  projection.backward_weight(walk, dy, saved.normed);
  projection.backward_data(walk, dy, dnormed);

  LayerNormBackward norm;
  norm.dy = dnormed;
  norm.x = saved.x;
  norm.mean = saved.mean;
  norm.rstd = saved.rstd;
  norm.scale = saved.scale;
  norm.row_index = context.view.row_index;
  norm.dx = g;
  norm.dshift = dshift;
  norm.dscale = dscale;
  context.ops().layer_norm_backward(norm);

  if (const Tensor dtable = unit.group_gradient(groups.table)) {
    context.ops().sum_rows({dshift, table_row(dtable, 0)});
    context.ops().sum_rows({dscale, table_row(dtable, 1)});
  }
  context.ops().axpby({1, dshift, 1, de});
  context.ops().axpby({1, dscale, 1, de});
  walk.dump(unit.name(), "prediction.grad", dprediction);
  walk.dump(unit.name(), "norm_out.grad", dnormed);
}

}  // namespace wan
