#include "model/dit/self_attention.hpp"

#include "model/dit/attention_parts.hpp"

namespace wan {

namespace {

/// LN(x) (1 + scale) + shift into newly allocated `normed`, and its statistics.
void normalise_input(const DitContext& context, const Tensor& modulation, SelfAttentionSaved& saved) {
  const std::int64_t dim = context.dim();
  saved.normed = context.tokens(dim);
  LayerNormForward norm;
  norm.x = saved.x;
  norm.eps = context.eps();
  norm.shift = modulation.col_range(0, dim);
  norm.scale = modulation.col_range(dim, 2 * dim);
  norm.row_index = context.view.row_index;
  norm.y = saved.normed;
  norm.mean = saved.mean;
  norm.rstd = saved.rstd;
  context.ops().layer_norm_forward(norm);
}

HeadNorm queries(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                 const SelfAttentionSaved& saved) {
  return head_norm(unit, groups.norm_q, saved.qkv.col_range(0, context.local_dim()), saved.rstd_q);
}
HeadNorm keys(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
              const SelfAttentionSaved& saved) {
  const std::int64_t own = context.local_dim();
  return head_norm(unit, groups.norm_k, saved.qkv.col_range(own, 2 * own), saved.rstd_k);
}

/// q and k, newly allocated, of qkv, and their statistics.
void normalise_heads(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                     SelfAttentionSaved& saved) {
  const std::int64_t own = context.local_dim();
  saved.q = context.tokens(own);
  saved.k = context.tokens(own);
  head_norms_forward(context, context.rope, queries(context, unit, groups, saved), saved.q,
                     keys(context, unit, groups, saved), saved.k);
}

}  // namespace

void reserve_attention(const DitContext& context, SelfAttentionSaved& saved) {
  saved.o = context.tokens(context.local_dim());
  saved.lse = context.walk.tensor(DType::f32, {context.local_heads(), context.rows()});
}

void self_attention_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                            const Tensor& modulation, const Tensor& x, SelfAttentionSaved& saved) {
  const Walk& walk = context.walk;
  const std::int64_t own = context.local_dim();
  const auto products = context.dropped_unless(context.keeps_products());
  saved.x = x;
  saved.mean = context.per_token();
  saved.rstd = context.per_token();
  saved.qkv = context.tokens(3 * own);
  saved.rstd_q = context.per_token();
  saved.rstd_k = context.per_token();
  if (!saved.o && context.keeps_products()) reserve_attention(context, saved);
  if (!saved.o) saved.o = context.tokens(own);

  const auto elementwise = context.dropped_unless(context.keeps_all());
  normalise_input(context, modulation, saved);
  Linear(unit, groups.qkv).forward(walk, saved.normed, saved.qkv);
  normalise_heads(context, unit, groups, saved);
  if (!saved.attention_kept) {
    const Tensor v = saved.qkv.col_range(2 * own, 3 * own);
    context.ops().attention_forward({saved.q, saved.k, v, &context.pack().self_attention(),
                                     context.config.attention_head_dim, attention_scale(context), saved.o,
                                     saved.lse});
  }
  Linear(unit, groups.out).forward(walk, saved.o, saved.y);

  walk.dump(unit.name(), "norm1", saved.normed);
  walk.dump(unit.name(), "attn1.qkv", saved.qkv);
  walk.dump(unit.name(), "attn1.q", saved.q);
  walk.dump(unit.name(), "attn1.k", saved.k);
  walk.dump(unit.name(), "attn1.o", saved.o);
  walk.dump(unit.name(), "attn1", saved.y);
}

void self_attention_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                             const Tensor& modulation, const SelfAttentionSaved& kept, const Tensor& dy,
                             const Tensor& g, const Tensor& dmodulation) {
  const Walk& walk = context.walk;
  const Arena::Scope scope(walk.arena());
  const std::int64_t dim = context.dim();
  const std::int64_t own = context.local_dim();
  const Linear projection(unit, groups.out);
  const Linear inputs(unit, groups.qkv);
  const Tensor d_o = context.tokens(own);
  const Tensor dqkv = context.tokens(3 * own);
  const Tensor dq = dqkv.col_range(0, own);
  const Tensor dk = dqkv.col_range(own, 2 * own);
  SelfAttentionSaved saved = kept;  // what was not kept is made again

  projection.backward_weight(walk, dy, saved.o);
  projection.backward_data(walk, dy, d_o);
  {
    const Arena::Scope heads(walk.arena());
    if (!context.keeps_all()) normalise_heads(context, unit, groups, saved);
    context.ops().attention_backward({saved.q, saved.k, saved.qkv.col_range(2 * own, 3 * own), saved.o,
                                      saved.lse, d_o, &context.pack().self_attention(),
                                      context.config.attention_head_dim, attention_scale(context), dq, dk,
                                      dqkv.col_range(2 * own, 3 * own)});
  }
  head_norms_backward(context, context.rope, queries(context, unit, groups, saved), dq,
                      keys(context, unit, groups, saved), dk);
  if (!context.keeps_all()) normalise_input(context, modulation, saved);
  inputs.backward_weight(walk, dqkv, saved.normed);
  const Tensor& dnormed = dy;
  inputs.backward_data(walk, dqkv, dnormed);

  LayerNormBackward norm;
  norm.dy = dnormed;
  norm.x = saved.x;
  norm.mean = saved.mean;
  norm.rstd = saved.rstd;
  norm.scale = modulation.col_range(dim, 2 * dim);
  norm.row_index = context.view.row_index;
  norm.dx = g;
  norm.dshift = dmodulation.col_range(0, dim);
  norm.dscale = dmodulation.col_range(dim, 2 * dim);
  context.ops().layer_norm_backward(norm);

  walk.dump(unit.name(), "attn1.o.grad", d_o);
  walk.dump(unit.name(), "attn1.qkv.grad", dqkv);
  walk.dump(unit.name(), "norm1.grad", dnormed);
}

}  // namespace wan
