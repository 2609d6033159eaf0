#pragma once
#include "device/ops/check/expect.hpp"
#include "device/ops/frames.hpp"

namespace wan {

/// Hold the arguments of FrameOps to their contracts. Read no tensor data.
void check(const FrameConvGeometry& geometry, DType storage);
void check(const FrameConv& a, FloatStorage storage);
void check(const FrameNorm& a, FloatStorage storage);
void check(const FrameMap& a, FloatStorage storage);

}  // namespace wan
