#pragma once
#include "tensor/tensor.hpp"

namespace wan {

enum class Activation { none, gelu_tanh, silu };

/// y = act(x W^T + b). N tokens, K inputs, M outputs; x, w, y of one dtype (fp32 or bf16; y may also be fp32
/// when x and w are bf16), sums in fp32. Any of x, pre, y may be a band of columns. Nothing may alias.
/// gelu_tanh(u) = u/2 (1 + tanh(sqrt(2/pi) (u + 0.044715 u^3))) (Hendrycks and Gimpel 2016), silu(u) = u / (1
/// + e^-u).
struct LinearForward {
  Tensor x;     ///< [N, K]
  Tensor w;     ///< [M, K]
  Tensor bias;  ///< [M], fp32 or x's dtype; optional
  Activation activation = Activation::none;
  Tensor pre;  ///< [N, M] in y's dtype, receives u = x W^T + b for the backward; optional
  Tensor y;    ///< [N, M]
};

/// dx = (dy W) * act'(pre), or added to what dx holds.
struct LinearBackwardData {
  Tensor dy;                                 ///< [N, M]
  Tensor w;                                  ///< [M, K]
  Activation activation = Activation::none;  ///< of the layer that produced x
  Tensor pre;               ///< [N, K], that layer's pre-activation; given unless activation is none
  bool accumulate = false;  ///< dx += instead of dx =
  Tensor dx;                ///< [N, K]
};

/// dw += dy^T x, db += column sums of dy. dw and db are fp32.
struct LinearBackwardWeight {
  Tensor dy;  ///< [N, M]
  Tensor x;   ///< [N, K]
  Tensor dw;  ///< [M, K] fp32; optional (frozen weight)
  Tensor db;  ///< [M] fp32; optional
};

}  // namespace wan
