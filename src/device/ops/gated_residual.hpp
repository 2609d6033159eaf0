#pragma once
#include "tensor/tensor.hpp"

namespace wan {

/// out = x + gate[r] * y with r = row_index[token], in fp32, rounded once; without gate: out = x + y.
/// out may be x.
struct GatedResidualForward {
  Tensor x;          ///< [N, C]
  Tensor y;          ///< [N, C]
  Tensor gate;       ///< [R, C] fp32, may be strided; optional
  Tensor row_index;  ///< [N] int32, with gate
  Tensor out;        ///< [N, C]
};

/// dy = gate[r] * g; dgate[r] += sum over the row's tokens of g * y; each skipped if not given. The
/// gradient of x is g itself.
struct GatedResidualBackward {
  Tensor g;          ///< [N, C], gradient of out
  Tensor y;          ///< [N, C]; with dgate
  Tensor gate;       ///< [R, C] fp32
  Tensor row_index;  ///< [N] int32
  Tensor dy;         ///< [N, C]
  Tensor dgate;      ///< [R, C] fp32, may be strided, added to
};

}  // namespace wan
