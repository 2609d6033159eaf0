#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/bf16.hpp"
#include "device/ops/linear.hpp"

// Functions that the compiler can vectorise without -ffast-math, which would also let it reorder sums and
// drop NaN.
namespace wan::kernels {

/// e^x for finite x, relative error below 2e-7; 0 below -87.3, e^88 above 88. Cody and Waite's reduction to
/// |r| <= ln 2 / 2, then the Taylor polynomial of degree 7 in nested form.
KOKKOS_FORCEINLINE_FUNCTION float exp_fast(float x) {
  constexpr float log2_e = 1.44269504F;
  constexpr float ln2_high = 0.693359375F;
  constexpr float ln2_low = -2.12194440e-4F;
  // Adding 1.5 * 2^23 rounds to an integer n, which then stands in the lowest bits of the sum.
  constexpr float rounder = 12582912.0F;
  const float high = x > 88.0F ? 88.0F : x;
  const float clamped = high < -87.3F ? -87.3F : high;
  const float shifted = clamped * log2_e + rounder;
  const float n = shifted - rounder;
  const float r = (clamped - n * ln2_high) - n * ln2_low;
  float p = 1.9841270e-4F;
  p = p * r + 1.3888889e-3F;
  p = p * r + 8.3333333e-3F;
  p = p * r + 4.1666667e-2F;
  p = p * r + 1.6666667e-1F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  // 2^n from its exponent, without a conversion to an integer: that would be undefined for NaN, which p
  // carries on.
  std::uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + (127U << 23);
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return x < -87.3F ? 0.0F : p * power;
}

/// 1 / (1 + e^-x), relative error below 4e-7 for x > -60 and absolute error below 1e-26 elsewhere: no smaller
/// number comes out, since subnormal numbers, which products with it would soon reach, cost a CPU a hundred
/// cycles each.
KOKKOS_FORCEINLINE_FUNCTION float sigmoid(float x) {
  return 1.0F / (1.0F + exp_fast(x < -60.0F ? 60.0F : -x));
}

/// How exactly a function is worked out on a GPU: to fp32, or to 16 bits and a few more in a third of the
/// instructions, where results are rounded to bf16. A CPU has one way.
enum class Exactness { fp32, bf16 };

template <class... T>
inline constexpr Exactness exactness_for = (std::is_same_v<T, bf16> && ...) ? Exactness::bf16
                                                                            : Exactness::fp32;

template <Exactness exactness>
KOKKOS_FORCEINLINE_FUNCTION float sigmoid(float x) {
#if defined(__CUDA_ARCH__)
  if constexpr (exactness == Exactness::bf16) {
    // Two units of the last place each, on units beside those that multiply.
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x * -1.44269504F));
    float inverse;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(1.0F + power));
    return inverse;
  }
#endif
  return sigmoid(x);
}

// gelu_tanh(u) = u/2 (1 + tanh z) = u sigmoid(2 z), which needs no tanh and loses no digits where tanh is
// near -1.
inline constexpr float gelu_linear = 1.5957691216F;  // 2 sqrt(2 / pi)
inline constexpr float gelu_cubic = 0.0713548163F;   // gelu_linear * 0.044715

template <Activation activation, Exactness exactness = Exactness::fp32>
KOKKOS_FORCEINLINE_FUNCTION float activate(float u) {
  if constexpr (activation == Activation::gelu_tanh) {
    return u * sigmoid<exactness>(u * (gelu_linear + gelu_cubic * u * u));
  } else if constexpr (activation == Activation::silu) {
    return u * sigmoid<exactness>(u);
  } else {
    return u;
  }
}

/// d activate / d u.
template <Activation activation, Exactness exactness = Exactness::fp32>
KOKKOS_FORCEINLINE_FUNCTION float activation_slope(float u) {
  if constexpr (activation == Activation::gelu_tanh) {
    const float s = sigmoid<exactness>(u * (gelu_linear + gelu_cubic * u * u));
    return s + u * s * (1.0F - s) * (gelu_linear + 3.0F * gelu_cubic * u * u);
  } else if constexpr (activation == Activation::silu) {
    const float s = sigmoid<exactness>(u);
    return s + u * s * (1.0F - s);
  } else {
    return 1.0F;
  }
}

/// Calls body(std::integral_constant<Activation, …>) by the run-time value.
template <class Body>
void with_activation(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::gelu_tanh:
      body(std::integral_constant<Activation, Activation::gelu_tanh>{});
      return;
    case Activation::silu:
      body(std::integral_constant<Activation, Activation::silu>{});
      return;
    case Activation::none:
      body(std::integral_constant<Activation, Activation::none>{});
      return;
  }
}

}  // namespace wan::kernels
