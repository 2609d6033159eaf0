#pragma once
#include <cmath>

#include "device/ops/linear.hpp"

namespace wan::ref {

[[nodiscard]] inline double activate(Activation activation, double u) {
  switch (activation) {
    case Activation::gelu_tanh:
      return 0.5 * u * (1 + std::tanh(std::sqrt(2 / M_PI) * (u + 0.044715 * u * u * u)));
    case Activation::silu:
      return u / (1 + std::exp(-u));
    case Activation::none:
      break;
  }
  return u;
}

/// d activate / d u.
[[nodiscard]] inline double activation_slope(Activation activation, double u) {
  switch (activation) {
    case Activation::gelu_tanh: {
      const double k = std::sqrt(2 / M_PI);
      const double t = std::tanh(k * (u + 0.044715 * u * u * u));
      return 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * k * (1 + 3 * 0.044715 * u * u);
    }
    case Activation::silu: {
      const double s = 1 / (1 + std::exp(-u));
      return s * (1 + u * (1 - s));
    }
    case Activation::none:
      break;
  }
  return 1;
}

}  // namespace wan::ref
