#include "model/dit/attention_parts.hpp"

#include <cmath>

namespace wan {

float attention_scale(const DitContext& context) {
  return 1.0F / std::sqrt(static_cast<float>(context.config.attention_head_dim));
}

void head_norm_forward(const DitContext& context, const ParameterUnit& unit, int weight_group,
                       const RopeTable& rope, const Tensor& x, const Tensor& y, const Tensor& rstd) {
  RmsNormRopeForward norm;
  norm.x = x;
  norm.weight = unit.group_weight(weight_group);
  norm.eps = context.eps();
  norm.width = context.dim();
  norm.head_dim = context.config.attention_head_dim;
  norm.rope = rope;
  norm.y = y;
  norm.rstd = rstd;
  const Arena::Scope scope(context.walk.arena());
  if (context.tp.size() > 1) {
    norm.sum_squares = context.walk.tensor(DType::f32, {x.rows()});
    context.ops().rms_norm_sum_squares({x, norm.sum_squares});
    context.tp.all_reduce(norm.sum_squares, Reduce::sum).wait();
  }
  context.ops().rms_norm_rope_forward(norm);
}

void head_norm_backward(const DitContext& context, const ParameterUnit& unit, int weight_group,
                        const RopeTable& rope, const Tensor& x, const Tensor& rstd, const Tensor& d) {
  RmsNormRopeBackward norm;
  norm.dy = d;
  norm.x = x;
  norm.weight = unit.group_weight(weight_group);
  norm.rstd = rstd;
  norm.width = context.dim();
  norm.head_dim = context.config.attention_head_dim;
  norm.rope = rope;
  norm.dx = d;
  norm.dweight = unit.group_gradient(weight_group);
  const Arena::Scope scope(context.walk.arena());
  if (context.tp.size() > 1) {
    norm.dot = context.walk.tensor(DType::f32, {x.rows()});
    context.ops().rms_norm_rope_dot({d, x, norm.weight, norm.head_dim, rope, norm.dot});
    context.tp.all_reduce(norm.dot, Reduce::sum).wait();
  }
  context.ops().rms_norm_rope_backward(norm);
}

}  // namespace wan
