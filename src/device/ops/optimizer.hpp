#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "tensor/tensor.hpp"

namespace wan {

/// AdamW (Loshchilov and Hutter 2019) on flat ranges of equal length. g' = gradient_scale[0] * gradient;
/// m = b1 m + (1 - b1) g'; v = b2 v + (1 - b2) g'^2;
/// master -= lr (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) + decay master); parameter = master rounded to
/// its dtype. A gradient_scale of 0 skips the step: nothing changes, whatever the gradient is. Each of
/// `decayed` is a half-open range of elements that weight decay applies to; elsewhere decay is 0.
struct AdamW {
  Tensor gradient;        ///< [n] fp32
  Tensor gradient_scale;  ///< [1] fp32 on the device: the clipping factor
  Tensor exp_avg;         ///< [n] fp32
  Tensor exp_avg_sq;      ///< [n] fp32
  Tensor master;          ///< [n] fp32
  Tensor parameter;       ///< [n] fp32 or bf16; may be master itself
  std::vector<std::pair<std::int64_t, std::int64_t>> decayed;
  float lr = 0;
  float beta1 = 0.9F;
  float beta2 = 0.95F;
  float eps = 1e-5F;
  float weight_decay = 0;
  std::int64_t step = 1;  ///< t, from 1
};

/// out[0] += sum of x^2, added up in fp64.
struct SumSquares {
  Tensor x;    ///< flat, fp32
  Tensor out;  ///< [1] fp64
};

/// norm[0] = sqrt(sum_squares[0]); scale[0] = min(1, max_norm / (norm[0] + 1e-6)), or 0 if the norm, or any
/// of the further sums, is not finite: then AdamW skips the step. max_norm <= 0 never clips.
struct ClipFactor {
  Tensor sum_squares;  ///< [1 or more] fp64: of the gradient, then of whatever else must be finite
  float max_norm = 1;
  Tensor scale;  ///< [1] fp32
  Tensor norm;   ///< [1] fp32
};

}  // namespace wan
