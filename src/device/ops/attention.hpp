#pragma once
#include <cstdint>
#include <vector>

#include "tensor/tensor.hpp"

namespace wan {

/// Which keys each query sees: queries [query[s], query[s+1]) see keys [key[s], key[s+1]) and no others.
struct AttentionSegments {
  std::vector<std::int64_t> query;  ///< n + 1 offsets
  std::vector<std::int64_t> key;    ///< n + 1 offsets
  /// The last key of segment s counts this often (>= 1), as if it stood there that many times: its logit
  /// gains ln(count). Empty means 1 everywhere. This is the exact shortcut for the equal rows of padded text.
  std::vector<std::int64_t> last_key_count;
};

/// o = softmax(scale q k^T) v per segment and head, no mask; lse = ln sum exp of the logits. Softmax and sums
/// in fp32. Heads are bands of head_dim columns. q, k, v may be bands of a wider matrix. A segment with no
/// keys, and rows of q in no segment (before the first offset, after the last), give o = 0 and lse = -inf.
struct AttentionForward {
  Tensor q;  ///< [Nq, H D]
  Tensor k;  ///< [Nk, H D]
  Tensor v;  ///< [Nk, H D]
  const AttentionSegments* segments = nullptr;
  std::int64_t head_dim = 0;
  float scale = 0;
  Tensor o;    ///< [Nq, H D]
  Tensor lse;  ///< [H, Nq] fp32; optional when no backward follows
};

/// With P = exp(scale q k^T + ln(count of the key) - lse), dP = dO v^T, D = rowsum(dO * O): dv = P^T dO, dS =
/// P (dP - D), dq = scale dS k, dk = scale dS^T q (Dao et al. 2022). dq, dk, dv are written, not added to;
/// rows in no segment become 0. D is also rowsum(P * dP), unless the keys are partial. A body may use either;
/// the second is better, since the rounding of a stored bf16 o shifts every dP of a row by the same amount,
/// which keys with much in common, as those of padded text, do not let cancel.
struct AttentionBackward {
  Tensor q, k, v, o;  ///< as in the forward
  Tensor lse;         ///< [H, Nq] fp32
  Tensor dout;        ///< [Nq, H D]
  const AttentionSegments* segments = nullptr;
  std::int64_t head_dim = 0;
  float scale = 0;
  Tensor dq, dk, dv;  ///< shapes and dtypes of q, k, v; may be bands
  /// k and v are some of the keys that lse and o were made from (ring attention takes them by parts).
  bool partial_keys = false;
};

}  // namespace wan
