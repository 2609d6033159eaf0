#pragma once
#include "tensor/tensor.hpp"

namespace wan {

/// Layer normalisation over the last axis, statistics in fp32, biased variance (Ba et al. 2016):
/// xh = (x - mean) * rstd, rstd = (var + eps)^-1/2, and then either
///   modulated (adaLN, Peebles and Xie 2023): y = xh * (1 + scale[r]) + shift[r] with r = row_index[token],
///   or affine: y = xh * weight + bias.
/// Tokens of one modulation row are contiguous: row_index never decreases inside the range given. Exactly one
/// of the two groups of parameters is given. y may not alias x.
struct LayerNormForward {
  Tensor x;  ///< [N, C]
  float eps = 1e-6F;
  Tensor scale;      ///< [R, C] fp32, may be strided
  Tensor shift;      ///< [R, C] fp32, may be strided
  Tensor row_index;  ///< [N] int32
  Tensor weight;     ///< [C] fp32 or x's dtype
  Tensor bias;       ///< [C] as weight
  Tensor y;          ///< [N, C]
  Tensor mean;       ///< [N] fp32, kept for the backward; optional, with rstd
  Tensor rstd;       ///< [N] fp32
};

/// dx += backward of the above; dscale, dshift (per modulation row) or dweight, dbias are added to, in fp32,
/// each skipped if not given.
struct LayerNormBackward {
  Tensor dy;         ///< [N, C]
  Tensor x;          ///< [N, C]
  Tensor mean;       ///< [N] fp32
  Tensor rstd;       ///< [N] fp32
  Tensor scale;      ///< [R, C] fp32
  Tensor row_index;  ///< [N] int32
  Tensor weight;     ///< [C]
  Tensor dx;         ///< [N, C], added to
  Tensor dscale;     ///< [R, C] fp32, may be strided, added to
  Tensor dshift;     ///< [R, C] fp32, may be strided, added to
  Tensor dweight;    ///< [C] fp32, added to
  Tensor dbias;      ///< [C] fp32, added to
};

}  // namespace wan
