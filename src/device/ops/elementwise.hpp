#pragma once
#include "device/ops/linear.hpp"
#include "tensor/tensor.hpp"

namespace wan {

/// y = x in y's dtype, rounded to nearest even. Dense, equal element counts.
struct Cast {
  Tensor x;
  Tensor y;
};

/// y = a x + b y, fp32 arithmetic; with b = 0, y need not be initialised. Dense; dtypes may differ.
struct Axpby {
  float a = 1;
  Tensor x;
  float b = 1;
  Tensor y;
};

/// y = act(x), same shapes; y may be x.
struct ActivationForward {
  Activation activation = Activation::silu;
  Tensor x;
  Tensor y;
};

/// dx = dy * act'(x); dx may be dy.
struct ActivationBackward {
  Activation activation = Activation::silu;
  Tensor dy;
  Tensor x;
  Tensor dx;
};

/// out[m, j] = table[j] + rows[m, j]: the modulation of a block is its scale_shift_table plus the projected
/// time embedding of each row (Wan2.1 model.py WanAttentionBlock).
struct AddRowVector {
  Tensor rows;    ///< [R, J] fp32
  Tensor vector;  ///< [J], fp32 or bf16
  Tensor out;     ///< [R, J] fp32
};

/// out[j] += sum over rows of x[m, j].
struct SumRows {
  Tensor x;    ///< [R, J]
  Tensor out;  ///< [J] fp32
};

/// out[m, k] = cos(t[m] w_k) for k < F/2, sin(t[m] w_(k - F/2)) after, w_k = 10000^(-k / (F/2)), the angle in
/// fp64 (Wan2.1 model.py sinusoidal_embedding_1d).
struct TimestepEmbedding {
  Tensor timestep;  ///< [R] fp32, in 0..1000
  Tensor out;       ///< [R, F] fp32
};

}  // namespace wan
