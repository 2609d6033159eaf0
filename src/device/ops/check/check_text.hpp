#pragma once
#include "device/ops/check/expect.hpp"
#include "device/ops/text.hpp"

namespace wan {

/// Hold the arguments of TextOps to their contracts. Read no tensor data.
void check(const GatherRows& a, FloatStorage storage);
void check(const BiasedAttention& a, FloatStorage storage);
void check(const GatedGelu& a, FloatStorage storage);

}  // namespace wan
