#include "model/dit/cross_attention.hpp"

#include "model/dit/attention_parts.hpp"

namespace wan {
namespace {

/// LN(x), affine, into newly allocated `normed`, and its statistics.
LayerNormForward input_norm(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                            CrossAttentionSaved& saved) {
  saved.normed = context.tokens(context.dim());
  LayerNormForward norm;
  norm.x = saved.x;
  norm.eps = context.eps();
  norm.weight = unit.group_weight(groups.norm2);
  norm.bias = unit.group_weight(groups.norm2_bias);
  norm.y = saved.normed;
  norm.mean = saved.mean;
  norm.rstd = saved.rstd;
  return norm;
}

/// q, newly allocated, of q_pre, and its statistics.
void normalise_queries(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                       CrossAttentionSaved& saved) {
  saved.q = context.tokens(context.local_dim());
  head_norm_forward(context, {}, head_norm(unit, groups.cross_norm_q, saved.q_pre, saved.rstd_q), saved.q);
}

}  // namespace

void text_keys_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                       const Tensor& context_rows, TextKeys& keys) {
  const std::int64_t own = context.local_dim();
  keys.kv = context.text(2 * own);
  keys.k = context.text(own);
  keys.v = keys.kv.col_range(own, 2 * own);
  keys.rstd = context.walk.tensor(DType::f32, {context.text_rows()});
  Linear(unit, groups.cross_kv).forward(context.walk, context_rows, keys.kv);
  head_norm_forward(context, {}, head_norm(unit, groups.cross_norm_k, keys.kv.col_range(0, own), keys.rstd),
                    keys.k);
  context.walk.dump(unit.name(), "attn2.k", keys.k);
  context.walk.dump(unit.name(), "attn2.v", keys.v);
}

void text_keys_into(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                    const Tensor& context_rows, const Tensor& kv) {
  const Tensor k = kv.col_range(0, context.local_dim());
  Linear(unit, groups.cross_kv).forward(context.walk, context_rows, kv);
  head_norm_forward(context, {}, head_norm(unit, groups.cross_norm_k, k, {}), k);
}

void cross_attention_forward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                             const TextKeys& keys, const GatedResidualForward& before,
                             CrossAttentionSaved& saved, const Tensor& y) {
  const Walk& walk = context.walk;
  const std::int64_t own = context.local_dim();
  const auto products = context.dropped_unless(context.keeps_products());
  saved.x = before.out;
  saved.mean = context.per_token();
  saved.rstd = context.per_token();
  saved.q_pre = context.tokens(own);
  saved.rstd_q = context.per_token();
  saved.o = context.tokens(own);
  if (context.keeps_products()) {
    saved.lse = walk.tensor(DType::f32, {context.local_heads(), context.rows()});
  }

  const auto elementwise = context.dropped_unless(context.keeps_all());
  context.ops().residual_norm_forward({before, input_norm(context, unit, groups, saved)});
  Linear(unit, groups.cross_q).forward(walk, saved.normed, saved.q_pre);
  normalise_queries(context, unit, groups, saved);
  context.ops().attention_forward({saved.q, keys.k, keys.v, &context.pack().cross_attention(),
                                   context.config.attention_head_dim, attention_scale(context), saved.o,
                                   saved.lse});
  Linear(unit, groups.cross_out).forward(walk, saved.o, y);

  walk.dump(unit.name(), "norm2", saved.normed);
  walk.dump(unit.name(), "attn2.q", saved.q);
  walk.dump(unit.name(), "attn2.o", saved.o);
  walk.dump(unit.name(), "attn2", y);
}

void cross_attention_backward(const DitContext& context, const ParameterUnit& unit, const BlockGroups& groups,
                              const Tensor& context_rows, const TextKeys& keys,
                              const CrossAttentionSaved& kept, const GatedResidualBackward& before,
                              const Tensor& dcontext) {
  const Walk& walk = context.walk;
  const Arena::Scope scope(walk.arena());
  const std::int64_t own = context.local_dim();
  const Tensor& g = before.g;
  const Linear projection(unit, groups.cross_out);
  const Linear query(unit, groups.cross_q);
  const Linear text(unit, groups.cross_kv);
  const Tensor d_o = context.tokens(own);
  const Tensor dq = context.tokens(own);
  const Tensor dkv = context.text(2 * own);
  const Tensor dk = dkv.col_range(0, own);
  CrossAttentionSaved saved = kept;  // what was not kept is made again

  projection.backward_weight(walk, g, saved.o);
  projection.backward_data(walk, g, d_o);
  {
    const Arena::Scope queries(walk.arena());
    if (!context.keeps_all()) normalise_queries(context, unit, groups, saved);
    context.ops().attention_backward({saved.q, keys.k, keys.v, saved.o, saved.lse, d_o,
                                      &context.pack().cross_attention(), context.config.attention_head_dim,
                                      attention_scale(context), dq, dk, dkv.col_range(own, 2 * own)});
  }
  head_norm_backward(context, {}, head_norm(unit, groups.cross_norm_k, keys.kv.col_range(0, own), keys.rstd),
                     dk);
  text.backward_weight(walk, dkv, context_rows);
  text.backward_data_add(walk, dkv, dcontext);

  head_norm_backward(context, {}, head_norm(unit, groups.cross_norm_q, saved.q_pre, saved.rstd_q), dq);
  if (!context.keeps_all()) context.ops().layer_norm_forward(input_norm(context, unit, groups, saved));
  query.backward_weight(walk, dq, saved.normed);
  const Tensor& dnormed = before.dy;
  query.backward_data(walk, dq, dnormed);
  walk.dump(unit.name(), "norm2.grad", dnormed);

  LayerNormBackward norm;
  norm.dy = dnormed;
  norm.x = saved.x;
  norm.mean = saved.mean;
  norm.rstd = saved.rstd;
  norm.weight = unit.group_weight(groups.norm2);
  norm.dx = g;
  norm.dweight = unit.group_gradient(groups.norm2);
  norm.dbias = unit.group_gradient(groups.norm2_bias);
  context.ops().residual_norm_backward({norm, before});

  walk.dump(unit.name(), "attn2.kv.grad", dkv);
  walk.dump(unit.name(), "attn2.q.grad", dq);
}

}  // namespace wan
