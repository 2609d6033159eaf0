#pragma once
#include <cstdint>

#include "device/ops/kokkos/workspace.hpp"
#include "device/ops/text.hpp"
#include "tensor/tensor.hpp"

// The steps of attention between its matrix products, on a GPU. Logits lie as [heads, queries, stride] fp32
// of which each row's first `keys` count.
namespace wan::kernels {

/// A block of queries of one segment.
struct AttentionRows {
  std::int64_t heads = 0;
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::int64_t stride = 0;   ///< of rows of logits and shares
  float last_key_bonus = 0;  ///< added to each row's last logit
  /// T5's position bias [H, 2 longest - 1] by key - query + longest - 1, or none.
  const float* position_bias = nullptr;
  std::int64_t longest = 0;
  std::int64_t first_query = 0;  ///< the block's first query's place in its segment; with position_bias
};

/// shares = softmax of each row, in shares' dtype (for fp32 it may be `logits`). lse[head * lse_stride +
/// query] is written unless null.
void softmax_rows(const AttentionRows& rows, const float* logits, const Tensor& shares, float* lse,
                  std::int64_t lse_stride);

/// row_sum[head * queries + query] = dout . o of each head's columns.
void dot_rows(const Tensor& dout, const Tensor& o, std::int64_t head_dim, float* row_sum);

/// shares = exp(logits - lse), gradient = scale * shares * (dshares - row_sum), row_sum that of shares *
/// dshares if none is given; for fp32 they may be `logits` and `dshares`.
void attention_gradient_rows(const AttentionRows& rows, float scale, const float* logits,
                             const float* dshares, const float* lse, std::int64_t lse_stride,
                             const float* row_sum, const Tensor& shares, const Tensor& gradient);

/// out = keys - their mean, in which the last key counts `last_key_count` times. Since the gradient's rows
/// sum to 0, dq is the same from either; from the centred keys, what all keys share does not amplify the
/// rounding of the gradient to bf16.
void centre_keys(Workspace& workspace, const Tensor& keys, float last_key_count, const Tensor& out);

/// [H, 2 longest - 1] in the workspace: bias [buckets, H] of the bucket of distance i - (longest - 1).
[[nodiscard]] const float* spread_position_bias(Workspace& workspace, const Tensor& bias,
                                                const RelativeBuckets& buckets, std::int64_t longest);

/// Every element becomes `value`.
void fill(const Tensor& tensor, float value);

}  // namespace wan::kernels
