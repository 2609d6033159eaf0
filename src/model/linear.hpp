#pragma once
#include "device/ops/linear.hpp"
#include "model/parameter_unit.hpp"
#include "model/walk.hpp"

namespace wan {

/// Which groups of a unit are a linear layer's weight and bias.
struct LinearGroups {
  int weight = 0;
  int bias = 0;
};

/// A linear layer's parameters where they lie now; dw and db are not given where frozen.
struct Linear {
  Linear(const ParameterUnit& unit, LinearGroups groups);

  /// y = act(x W^T + b) [N, M]; the pre-activation goes to `pre` if given.
  void forward(const Walk& walk, const Tensor& x, const Tensor& y, Activation activation = Activation::none,
               const Tensor& pre = {}) const;
  /// dW += dy^T x, db += column sums of dy.
  void backward_weight(const Walk& walk, const Tensor& dy, const Tensor& x) const;
  /// dx = dy W.
  void backward_data(const Walk& walk, const Tensor& dy, const Tensor& dx) const;
  /// dx += dy W.
  void backward_data_add(const Walk& walk, const Tensor& dy, const Tensor& dx) const;
  /// dx = (dy W) * act'(pre), for x = act(pre).
  void backward_data(const Walk& walk, const Tensor& dy, const Tensor& dx, Activation activation,
                     const Tensor& pre) const;

  Tensor w;   ///< [M, K]
  Tensor b;   ///< [M]
  Tensor dw;  ///< [M, K] fp32
  Tensor db;  ///< [M] fp32
};

}  // namespace wan
