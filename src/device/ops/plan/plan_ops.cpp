#include "device/ops/plan/plan_ops.hpp"

#include "device/ops/plan/cost.hpp"

namespace wan {

using plan::bytes;

void PlanOps::count(const char* op, std::int64_t flops, std::int64_t moved) {
  for (OpCost* cost : {&total_, &by_op_[op]}) {
    cost->calls += 1;
    cost->flops += flops;
    cost->bytes += moved;
  }
}

void PlanOps::run(const LinearForward& a) {
  count("linear_forward", 2 * a.x.elements() * a.w.rows(), bytes({&a.x, &a.w, &a.bias, &a.pre, &a.y}));
}

void PlanOps::run(const LinearBackwardData& a) {
  count("linear_backward_data", 2 * a.dy.elements() * a.w.cols(), bytes({&a.dy, &a.w, &a.pre, &a.dx}));
}

void PlanOps::run(const LinearBackwardWeight& a) {
  const std::int64_t product = a.dw ? 2 * a.dy.elements() * a.x.cols() : 0;
  count("linear_backward_weight", product + (a.db ? a.dy.elements() : 0), bytes({&a.dy, &a.x, &a.dw, &a.db}));
}

void PlanOps::run(const AttentionForward& a) {
  count("attention_forward", 4 * plan::attention_pairs(*a.segments) * a.q.cols(),
        bytes({&a.q, &a.k, &a.v, &a.o, &a.lse}));
}

/// Five products: the logits again, dP, dv, dq, dk.
void PlanOps::run(const AttentionBackward& a) {
  count("attention_backward", 10 * plan::attention_pairs(*a.segments) * a.q.cols(),
        bytes({&a.q, &a.k, &a.v, &a.o, &a.lse, &a.dout, &a.dq, &a.dk, &a.dv}));
}

void PlanOps::run(const LayerNormForward& a) {
  count("layer_norm_forward", 8 * a.x.elements(),
        bytes({&a.x, &a.scale, &a.shift, &a.weight, &a.bias, &a.y, &a.mean, &a.rstd}));
}

void PlanOps::run(const LayerNormBackward& a) {
  count("layer_norm_backward", 16 * a.x.elements(),
        bytes({&a.dy, &a.x, &a.mean, &a.rstd, &a.scale, &a.weight, &a.dx, &a.dscale, &a.dshift, &a.dweight,
               &a.dbias}));
}

void PlanOps::run(const GatedResidualForward& a) {
  count("gated_residual_forward", 2 * a.x.elements(), bytes({&a.x, &a.y, &a.gate, &a.out}));
}

void PlanOps::run(const GatedResidualBackward& a) {
  count("gated_residual_backward", 3 * a.g.elements(), bytes({&a.g, &a.y, &a.gate, &a.dy, &a.dgate}));
}

void PlanOps::run(const ResidualNormForward& a) {
  const GatedResidualForward& residual = a.residual;
  const LayerNormForward& norm = a.norm;
  count("residual_norm_forward", 10 * norm.x.elements(),
        bytes({&residual.x, &residual.y, &residual.gate, &residual.out, &norm.scale, &norm.shift,
               &norm.weight, &norm.bias, &norm.y, &norm.mean, &norm.rstd}));
}

void PlanOps::run(const ResidualNormBackward& a) {
  const LayerNormBackward& norm = a.norm;
  const GatedResidualBackward& residual = a.residual;
  count("residual_norm_backward", 19 * norm.x.elements(),
        bytes({&norm.dy, &norm.x, &norm.mean, &norm.rstd, &norm.scale, &norm.weight, &norm.dx, &norm.dscale,
               &norm.dshift, &norm.dweight, &norm.dbias, &residual.y, &residual.gate, &residual.dy,
               &residual.dgate}));
}

void PlanOps::run(const RmsNormRopeForward& a) {
  count("rms_norm_rope_forward", 8 * a.x.elements(), bytes({&a.x, &a.weight, &a.sum_squares, &a.y, &a.rstd}));
}

void PlanOps::run(const RmsNormRopeBackward& a) {
  count("rms_norm_rope_backward", 14 * a.x.elements(),
        bytes({&a.dy, &a.x, &a.weight, &a.rstd, &a.dot, &a.dx, &a.dweight}));
}

void PlanOps::run(const RmsNormRopePairForward& a) {
  count("rms_norm_rope_pair_forward", 16 * a.first.x.elements(),
        bytes({&a.first.x, &a.first.weight, &a.first.sum_squares, &a.first.y, &a.first.rstd}) +
            bytes({&a.second.x, &a.second.weight, &a.second.sum_squares, &a.second.y, &a.second.rstd}));
}

void PlanOps::run(const RmsNormRopePairBackward& a) {
  count("rms_norm_rope_pair_backward", 28 * a.first.x.elements(),
        bytes({&a.first.dy, &a.first.x, &a.first.weight, &a.first.rstd, &a.first.dot, &a.first.dx,
               &a.first.dweight}) +
            bytes({&a.second.dy, &a.second.x, &a.second.weight, &a.second.rstd, &a.second.dot, &a.second.dx,
                   &a.second.dweight}));
}

void PlanOps::run(const RmsNormSumSquares& a) {
  count("rms_norm_sum_squares", 2 * a.x.elements(), bytes({&a.x, &a.out}));
}

void PlanOps::run(const RmsNormRopeDot& a) {
  count("rms_norm_rope_dot", 6 * a.x.elements(), bytes({&a.dy, &a.x, &a.weight, &a.out}));
}

void PlanOps::run(const Patchify& a) {
  count("patchify", 0, bytes({&a.latents, &a.tokens}));
}

void PlanOps::run(const Unpatchify& a) {
  count("unpatchify", 0, bytes({&a.latents, &a.tokens}));
}

void PlanOps::run(const Cast& a) {
  count("cast", 0, bytes({&a.x, &a.y}));
}

void PlanOps::run(const Axpby& a) {
  count("axpby", 3 * a.x.elements(), bytes({&a.x, &a.y}));
}

void PlanOps::run(const ActivationForward& a) {
  count("activation_forward", 10 * a.x.elements(), bytes({&a.x, &a.y}));
}

void PlanOps::run(const ActivationBackward& a) {
  count("activation_backward", 15 * a.x.elements(), bytes({&a.dy, &a.x, &a.dx}));
}

void PlanOps::run(const AddRowVector& a) {
  count("add_row_vector", a.rows.elements(), bytes({&a.rows, &a.vector, &a.out}));
}

void PlanOps::run(const SumRows& a) {
  count("sum_rows", a.x.elements(), bytes({&a.x, &a.out}));
}

void PlanOps::run(const TimestepEmbedding& a) {
  count("timestep_embedding", 20 * a.out.elements(), bytes({&a.timestep, &a.out}));
}

void PlanOps::run(const FillNormal& a) {
  count("fill_normal", 40 * a.out.elements(), bytes({&a.out}));
}

void PlanOps::run(const FlowMix& a) {
  count("flow_mix", 4 * a.clean.elements(), bytes({&a.clean, &a.noise, &a.noisy, &a.target}));
}

void PlanOps::run(const FlowLoss& a) {
  count("flow_loss", 4 * a.prediction.elements(),
        bytes({&a.prediction, &a.target, &a.loss, &a.raw, &a.gradient}));
}

void PlanOps::run(const AdamW& a) {
  const bool separate = a.parameter.data != a.master.data;
  count("adamw", 15 * a.gradient.elements(),
        bytes({&a.gradient, &a.exp_avg, &a.exp_avg_sq, &a.master}) + (separate ? a.parameter.bytes() : 0));
}

void PlanOps::run(const SumSquares& a) {
  count("sum_squares", 2 * a.x.elements(), bytes({&a.x}));
}

void PlanOps::run(const ClipFactor& a) {
  count("clip_factor", 3, bytes({&a.scale, &a.norm}));
}

}  // namespace wan
