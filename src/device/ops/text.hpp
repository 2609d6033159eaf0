#pragma once
#include <cstdint>

#include "device/ops/attention.hpp"
#include "tensor/tensor.hpp"

namespace wan {

/// y[n] = table[id[n]].
struct GatherRows {
  Tensor table;  ///< [V, C]
  Tensor id;     ///< [N] int32, in [0, V): the caller has checked
  Tensor y;      ///< [N, C] in the table's dtype
};

/// T5's bidirectional buckets of a distance key - query: half of the buckets for keys after the query; in
/// each half, distances below a quarter of all buckets have one each, larger ones share logarithmically up to
/// max_distance (Raffel et al. 2020; Mesh TensorFlow _relative_position_bucket).
struct RelativeBuckets {
  static constexpr std::int64_t most = 128;

  std::int64_t count = 32;  ///< even, at most `most`
  std::int64_t max_distance = 128;

  [[nodiscard]] std::int64_t bucket(std::int64_t distance) const;
};

/// o = softmax(q k^T + bias[bucket(j - i), head]) v per segment and head: T5 does not scale its logits.
/// Queries and keys of a segment are the same tokens; a segment's positions start anew. Softmax and sums in
/// fp32. Heads are bands of head_dim columns; q, k, v may be bands of a wider matrix.
struct BiasedAttention {
  Tensor q, k, v;                               ///< [N, H D]
  const AttentionSegments* segments = nullptr;  ///< query offsets = key offsets; no last_key_count
  std::int64_t head_dim = 0;
  RelativeBuckets buckets;
  Tensor bias;  ///< [buckets.count, H] fp32 or q's dtype
  Tensor o;     ///< [N, H D]
};

/// y = gelu_tanh(gate) * value, fp32 arithmetic (Shazeer 2020, T5 1.1). y may be either. All may be bands of
/// columns.
struct GatedGelu {
  Tensor gate;   ///< [N, F]
  Tensor value;  ///< [N, F]
  Tensor y;      ///< [N, F]
};

}  // namespace wan
