#pragma once
#include "tensor/dtype.hpp"

namespace wan::test {

/// Relative L2 distance from the reference, which computes in fp64 and rounds its result once.
///
/// fp32 forward    2e-6  one rounding is 3e-8 rms; sums of up to some hundred fp32 terms and exp (2e-7) come
/// on top fp32 gradient   1e-5  backward formulas subtract nearly equal numbers (dP - D, g - mean) and sum
/// over all tokens bf16 forward    2e-3  results are rounded to 8 bits (1.1e-3 rms) and near ties round to
/// the other side bf16 gradient   4e-3  the same, twice where a gradient is added to bf16 memory
inline double tolerance(DType storage, bool gradient) {
  if (storage == DType::f32) return gradient ? 1e-5 : 2e-6;
  return gradient ? 4e-3 : 2e-3;
}

}  // namespace wan::test
