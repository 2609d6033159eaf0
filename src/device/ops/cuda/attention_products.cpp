#include "device/ops/cuda/attention_products.hpp"

#include <algorithm>
#include <cmath>

#include "device/ops/kokkos/attention_rows.hpp"
#include "device/ops/kokkos/widened.hpp"

namespace wan::cuda {
namespace {

using kernels::AttentionRows;

/// Memory for one block's logits.
constexpr std::int64_t logits_bytes = 256LL << 20U;

/// One product of each head: heads are bands of head_dim columns, or matrices of their own.
struct HeadProducts {
  Blas& blas;
  std::int64_t heads;
  std::int64_t head_dim;
  DType storage;

  [[nodiscard]] Operand columns(const Tensor& tensor, bool transposed = false) const {
    return {tensor.data, tensor.row_stride, transposed, head_dim};
  }
  [[nodiscard]] static Operand rows(const AttentionRows& r, const Tensor& tensor, bool transposed = false) {
    return {tensor.data, r.stride, transposed, r.queries * r.stride};
  }
  /// logits[h] = alpha a[h] b[h]^T.
  void to_rows(const AttentionRows& r, float alpha, const Tensor& a, const Tensor& b, float* logits) const {
    Product p = batch();
    p.rows = r.queries;
    p.cols = r.keys;
    p.inner = head_dim;
    p.a = columns(a);
    p.b = columns(b, true);
    p.c = logits;
    p.c_stride = r.stride;
    p.c_batch_stride = r.queries * r.stride;
    p.alpha = alpha;
    blas.run(p);
  }
  /// c[h] = a b[h] + beta c[h] into bands of columns.
  void to_columns(std::int64_t count, std::int64_t inner, const Operand& a, const Tensor& b, float beta,
                  const Tensor& c) const {
    Product p = batch();
    p.rows = count;
    p.cols = head_dim;
    p.inner = inner;
    p.a = a;
    p.b = columns(b);
    p.result = c.dtype;
    p.c = c.data;
    p.c_stride = c.row_stride;
    p.c_batch_stride = head_dim;
    p.beta = beta;
    blas.run(p);
  }

 private:
  [[nodiscard]] Product batch() const {
    Product p;
    p.batches = heads;
    p.storage = storage;
    return p;
  }
};

AttentionRows rows_of(std::int64_t heads, const kernels::AttentionPart& part) {
  AttentionRows out;
  out.heads = heads;
  out.keys = part.key_end - part.key_begin;
  out.stride = (out.keys + 7) / 8 * 8;
  out.last_key_bonus = part.last_key_bonus;
  return out;
}

/// Queries whose logits fit into the memory meant for them.
std::int64_t block_of(const AttentionRows& rows, std::int64_t queries) {
  const std::int64_t fitting = logits_bytes / (4 * rows.heads * rows.stride);
  return std::clamp<std::int64_t>(fitting / 128 * 128, 128, std::max<std::int64_t>(queries, 128));
}

/// Whether bf16 tensors can be multiplied as they lie, every head's columns included.
template <class... Tensors>
bool direct(std::int64_t head_dim, const Tensors&... tensors) {
  return head_dim % 8 == 0 && (aligned(tensors) && ...);
}

Tensor shares_of(Workspace& workspace, DType dtype, const AttentionRows& rows, float* logits) {
  const Shape shape{rows.heads * rows.queries, rows.stride};
  if (dtype == DType::f32) return {logits, dtype, shape};
  return {workspace.take(shape.elements() * bytes_of(dtype)), dtype, shape};
}

Tensor fp32_scratch(Workspace& workspace, const Tensor& like) {
  return {workspace.floats(like.elements()), DType::f32, {like.rows(), like.cols()}};
}

/// The keys as dq is best made from: gradients that are rounded to bf16 want them centred, which needs all.
Tensor keys_for_dq(Workspace& workspace, const Tensor& k, const kernels::AttentionPart& part,
                   bool partial_keys) {
  if (k.dtype != DType::bf16 || partial_keys) return k;
  const Tensor out(workspace.take(k.elements() * bytes_of(k.dtype)), k.dtype, {k.rows(), k.cols()});
  kernels::centre_keys(workspace, k, std::exp(part.last_key_bonus), out);
  return out;
}

}  // namespace

void attend_by_products(Blas& blas, Workspace& workspace, const AttentionForward& a,
                        const kernels::AttentionPart& part, const PositionBias& bias) {
  const Workspace::Scope scope(workspace);
  const std::int64_t heads = a.q.cols() / a.head_dim;
  Tensor q = a.q.row_range(part.query_begin, part.query_end);
  Tensor k = a.k.row_range(part.key_begin, part.key_end);
  Tensor v = a.v.row_range(part.key_begin, part.key_end);
  const Tensor o = a.o.row_range(part.query_begin, part.query_end);
  const bool as_it_lies = a.q.dtype == DType::f32 || direct(a.head_dim, q, k, v, o);
  Tensor target = o;
  if (!as_it_lies) {
    q = kernels::widened(workspace, q);
    k = kernels::widened(workspace, k);
    v = kernels::widened(workspace, v);
    target = kernels::fp32_target(workspace, o);
  }
  const HeadProducts products{blas, heads, a.head_dim, q.dtype};
  AttentionRows rows = rows_of(heads, part);
  rows.position_bias = bias.table;
  rows.longest = bias.longest;
  const std::int64_t block = block_of(rows, q.rows());
  rows.queries = std::min(block, q.rows());
  float* const logits = workspace.floats(heads * rows.queries * rows.stride);
  const Tensor shares = shares_of(workspace, q.dtype, rows, logits);
  for (std::int64_t first = 0; first < q.rows(); first += block) {
    rows.first_query = first;
    rows.queries = std::min(block, q.rows() - first);
    const Tensor to = target.row_range(first, first + rows.queries);
    products.to_rows(rows, a.scale, q.row_range(first, first + rows.queries), k, logits);
    float* const lse = a.lse ? a.lse.as<float>() + part.query_begin + first : nullptr;
    kernels::softmax_rows(rows, logits, shares, lse, a.q.rows());
    products.to_columns(rows.queries, rows.keys, HeadProducts::rows(rows, shares), v, 0, to);
  }
  kernels::store_target(target, o);
}

void attend_back_by_products(Blas& blas, Workspace& workspace, const AttentionBackward& a,
                             const kernels::AttentionPart& part) {
  const Workspace::Scope scope(workspace);
  const std::int64_t heads = a.q.cols() / a.head_dim;
  const auto queries_of = [&](const Tensor& t) { return t.row_range(part.query_begin, part.query_end); };
  const auto keys_of = [&](const Tensor& t) { return t.row_range(part.key_begin, part.key_end); };
  Tensor q = queries_of(a.q), o = queries_of(a.o), dout = queries_of(a.dout);
  Tensor k = keys_of(a.k), v = keys_of(a.v);
  const Tensor dq = queries_of(a.dq), dk = keys_of(a.dk), dv = keys_of(a.dv);
  const bool as_it_lies = q.dtype == DType::f32 || direct(a.head_dim, q, k, v, dout, dq);
  Tensor dq_target = dq;
  if (!as_it_lies) {
    for (Tensor* tensor : {&q, &k, &v, &o, &dout}) *tensor = kernels::widened(workspace, *tensor);
    dq_target = kernels::fp32_target(workspace, dq);
  }
  // Keys collect from all blocks of queries, hence in fp32.
  const Tensor dk_target = dk.dtype == DType::f32 ? dk : fp32_scratch(workspace, dk);
  const Tensor dv_target = dv.dtype == DType::f32 ? dv : fp32_scratch(workspace, dv);
  const Tensor k_for_dq = keys_for_dq(workspace, k, part, a.partial_keys);
  const HeadProducts products{blas, heads, a.head_dim, q.dtype};
  AttentionRows rows = rows_of(heads, part);
  const std::int64_t block = block_of(rows, q.rows());
  rows.queries = std::min(block, q.rows());
  float* const logits = workspace.floats(heads * rows.queries * rows.stride);
  float* const dshares = workspace.floats(heads * rows.queries * rows.stride);
  // Of partial keys the rows' sums are known from the whole's o alone.
  float* const row_sum = a.partial_keys ? workspace.floats(heads * rows.queries) : nullptr;
  const Tensor shares = shares_of(workspace, q.dtype, rows, logits);
  const Tensor gradient = shares_of(workspace, q.dtype, rows, dshares);
  for (std::int64_t first = 0; first < q.rows(); first += block) {
    rows.queries = std::min(block, q.rows() - first);
    const auto block_rows = [&](const Tensor& t) { return t.row_range(first, first + rows.queries); };
    const float add = first == 0 ? 0.0F : 1.0F;
    products.to_rows(rows, a.scale, block_rows(q), k, logits);
    products.to_rows(rows, 1, block_rows(dout), v, dshares);
    if (row_sum != nullptr) kernels::dot_rows(block_rows(dout), block_rows(o), a.head_dim, row_sum);
    kernels::attention_gradient_rows(rows, a.scale, logits, dshares,
                                     a.lse.as<float>() + part.query_begin + first, a.q.rows(), row_sum,
                                     shares, gradient);
    products.to_columns(rows.keys, rows.queries, HeadProducts::rows(rows, shares, true), block_rows(dout),
                        add, dv_target);
    products.to_columns(rows.keys, rows.queries, HeadProducts::rows(rows, gradient, true), block_rows(q), add,
                        dk_target);
    products.to_columns(rows.queries, rows.keys, HeadProducts::rows(rows, gradient), k_for_dq, 0,
                        block_rows(dq_target));
  }
  kernels::store_target(dq_target, dq);
  kernels::store_target(dk_target, dk);
  kernels::store_target(dv_target, dv);
}

}  // namespace wan::cuda
