#include "model/dit/attention_parts.hpp"

#include <cmath>

namespace wan {

float attention_scale(const DitContext& context) {
  return 1.0F / std::sqrt(static_cast<float>(context.config.attention_head_dim));
}

namespace {

RmsNormRopeForward forward_of(const DitContext& context, const RopeTable& rope, const HeadNorm& head,
                              const Tensor& y) {
  RmsNormRopeForward norm;
  norm.x = head.x;
  norm.weight = head.weight;
  norm.eps = context.eps();
  norm.width = context.dim();
  norm.head_dim = context.config.attention_head_dim;
  norm.rope = rope;
  norm.y = y;
  norm.rstd = head.rstd;
  return norm;
}

RmsNormRopeBackward backward_of(const DitContext& context, const RopeTable& rope, const HeadNorm& head,
                                const Tensor& d) {
  RmsNormRopeBackward norm;
  norm.dy = d;
  norm.x = head.x;
  norm.weight = head.weight;
  norm.rstd = head.rstd;
  norm.width = context.dim();
  norm.head_dim = context.config.attention_head_dim;
  norm.rope = rope;
  norm.dx = d;
  norm.dweight = head.dweight;
  return norm;
}

/// `sums` [count, rows] fp32 of `count` norms, reduced over the ranks that hold the other heads.
void reduce(const DitContext& context, const Tensor& sums) {
  context.tp.all_reduce(sums, Reduce::sum).wait();
}

Tensor row_of(const Tensor& sums, std::int64_t row) {
  return sums.row_range(row, row + 1).reshaped({sums.cols()});
}

void sum_squares(const DitContext& context, RmsNormRopeForward& norm, const Tensor& out) {
  norm.sum_squares = out;
  context.ops().rms_norm_sum_squares({norm.x, out});
}

void dot(const DitContext& context, RmsNormRopeBackward& norm, const Tensor& out) {
  norm.dot = out;
  context.ops().rms_norm_rope_dot({norm.dy, norm.x, norm.weight, norm.head_dim, norm.rope, out});
}

}  // namespace

HeadNorm head_norm(const ParameterUnit& unit, int weight_group, const Tensor& x, const Tensor& rstd) {
  return {x, unit.group_weight(weight_group), unit.group_gradient(weight_group), rstd};
}

void head_norm_forward(const DitContext& context, const RopeTable& rope, const HeadNorm& head,
                       const Tensor& y) {
  RmsNormRopeForward norm = forward_of(context, rope, head, y);
  const Arena::Scope scope(context.walk.arena());
  if (context.tp.size() > 1) {
    const Tensor sums = context.walk.tensor(DType::f32, {1, head.x.rows()});
    sum_squares(context, norm, row_of(sums, 0));
    reduce(context, sums);
  }
  context.ops().rms_norm_rope_forward(norm);
}

void head_norms_forward(const DitContext& context, const RopeTable& rope, const HeadNorm& q,
                        const Tensor& q_out, const HeadNorm& k, const Tensor& k_out) {
  RmsNormRopePairForward norms = {forward_of(context, rope, q, q_out), forward_of(context, rope, k, k_out)};
  const Arena::Scope scope(context.walk.arena());
  if (context.tp.size() > 1) {
    const Tensor sums = context.walk.tensor(DType::f32, {2, q.x.rows()});
    sum_squares(context, norms.first, row_of(sums, 0));
    sum_squares(context, norms.second, row_of(sums, 1));
    reduce(context, sums);
  }
  context.ops().rms_norm_rope_pair_forward(norms);
}

void head_norm_backward(const DitContext& context, const RopeTable& rope, const HeadNorm& head,
                        const Tensor& d) {
  RmsNormRopeBackward norm = backward_of(context, rope, head, d);
  const Arena::Scope scope(context.walk.arena());
  if (context.tp.size() > 1) {
    const Tensor sums = context.walk.tensor(DType::f32, {1, head.x.rows()});
    dot(context, norm, row_of(sums, 0));
    reduce(context, sums);
  }
  context.ops().rms_norm_rope_backward(norm);
}

void head_norms_backward(const DitContext& context, const RopeTable& rope, const HeadNorm& q,
                         const Tensor& dq, const HeadNorm& k, const Tensor& dk) {
  RmsNormRopePairBackward norms = {backward_of(context, rope, q, dq), backward_of(context, rope, k, dk)};
  const Arena::Scope scope(context.walk.arena());
  if (context.tp.size() > 1) {
    const Tensor sums = context.walk.tensor(DType::f32, {2, q.x.rows()});
    dot(context, norms.first, row_of(sums, 0));
    dot(context, norms.second, row_of(sums, 1));
    reduce(context, sums);
  }
  context.ops().rms_norm_rope_pair_backward(norms);
}

}  // namespace wan
