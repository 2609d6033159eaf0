#pragma once
#include "tensor/tensor.hpp"

namespace wan {

/// Where a token's rotation angles come from. Pair p of a head uses dims (2p, 2p + 1); the D/2 pairs are
/// split [time | height | width] as c - 2 (c / 3), c / 3, c / 3 with c = D / 2; the angle is the token's
/// place on the pair's axis times 10000^(-2j/d), d the axis' own number of dims (Wan2.1 model.py rope_params,
/// rope_apply).
struct RopeTable {
  Tensor cosine;    ///< [positions, D / 2] fp32: column p belongs to pair p's axis
  Tensor sine;      ///< [positions, D / 2] fp32
  Tensor position;  ///< [N, 3] int32: frame, row, column of each token in its own sample

  [[nodiscard]] explicit operator bool() const { return static_cast<bool>(cosine); }
};

/// RMS normalisation over all heads jointly, then rotation of each head (no rotation without a table):
/// y = R(theta) (x * rstd * weight), rstd = (sum x^2 / width + eps)^-1/2. `width` is the global number of
/// channels; a rank that holds a part of the heads passes its own columns and, in `sum_squares`, the sums
/// reduced over the ranks. Without sum_squares the op sums its own columns, which must then be all of them. y
/// may be x.
struct RmsNormRopeForward {
  Tensor x;       ///< [N, C], may be a band of columns
  Tensor weight;  ///< [C] fp32 or x's dtype
  float eps = 1e-6F;
  std::int64_t width = 0;     ///< global channel count
  std::int64_t head_dim = 0;  ///< D; with a table
  RopeTable rope;             ///< optional
  Tensor sum_squares;         ///< [N] fp32 reduced sums; optional
  Tensor y;                   ///< [N, C]
  Tensor rstd;                ///< [N] fp32, kept for the backward; optional
};

/// The partial sum of the forward: out[n] = sum_c x[n, c]^2.
struct RmsNormSumSquares {
  Tensor x;    ///< [N, C]
  Tensor out;  ///< [N] fp32
};

/// With u = (R(-theta) dy) * weight: dx = rstd (u - x rstd^2 s / width), s = sum_c u x; dweight += sum_n
/// (R(-theta) dy) x rstd. `dot` holds s reduced over the ranks; without it the op sums its own columns. dx is
/// written, not added to, and may be dy.
struct RmsNormRopeBackward {
  Tensor dy;      ///< [N, C]
  Tensor x;       ///< [N, C], the forward's input
  Tensor weight;  ///< [C]
  Tensor rstd;    ///< [N] fp32
  std::int64_t width = 0;
  std::int64_t head_dim = 0;
  RopeTable rope;
  Tensor dot;      ///< [N] fp32; optional
  Tensor dx;       ///< [N, C]
  Tensor dweight;  ///< [C] fp32, added to; optional
};

/// Two of them in one pass, queries and keys that are rotated alike: equal shapes, dtypes, width, eps,
/// head_dim and table; reduced sums for both or for neither.
struct RmsNormRopePairForward {
  RmsNormRopeForward first;
  RmsNormRopeForward second;
};
struct RmsNormRopePairBackward {
  RmsNormRopeBackward first;
  RmsNormRopeBackward second;
};

/// The partial sum of the backward: out[n] = sum_c u[n, c] x[n, c].
struct RmsNormRopeDot {
  Tensor dy;      ///< [N, C]
  Tensor x;       ///< [N, C]
  Tensor weight;  ///< [C]
  std::int64_t head_dim = 0;
  RopeTable rope;
  Tensor out;  ///< [N] fp32
};

}  // namespace wan
