#pragma once
#include "device/ops.hpp"
#include "device/ops/check/expect.hpp"

namespace wan {

/// Holds the arguments of one op to its contract: shapes, dtypes, what goes together. Reads no tensor data.
/// One overload per op, one file per contract header.
void check(const LinearForward& a, FloatStorage storage);
void check(const LinearBackwardData& a, FloatStorage storage);
void check(const LinearBackwardWeight& a, FloatStorage storage);

void check(const LayerNormForward& a, FloatStorage storage);
void check(const LayerNormBackward& a, FloatStorage storage);
void check(const GatedResidualForward& a, FloatStorage storage);
void check(const GatedResidualBackward& a, FloatStorage storage);
void check(const ResidualNormForward& a, FloatStorage storage);
void check(const ResidualNormBackward& a, FloatStorage storage);
void check(const RmsNormRopeForward& a, FloatStorage storage);
void check(const RmsNormRopeBackward& a, FloatStorage storage);
void check(const RmsNormRopePairForward& a, FloatStorage storage);
void check(const RmsNormRopePairBackward& a, FloatStorage storage);
void check(const RmsNormSumSquares& a, FloatStorage storage);
void check(const RmsNormRopeDot& a, FloatStorage storage);

void check(const AttentionForward& a, FloatStorage storage);
void check(const AttentionBackward& a, FloatStorage storage);

void check(const Patchify& a, FloatStorage storage);
void check(const Unpatchify& a, FloatStorage storage);

void check(const Cast& a, FloatStorage storage);
void check(const Axpby& a, FloatStorage storage);
void check(const ActivationForward& a, FloatStorage storage);
void check(const ActivationBackward& a, FloatStorage storage);
void check(const AddRowVector& a, FloatStorage storage);
void check(const SumRows& a, FloatStorage storage);
void check(const TimestepEmbedding& a, FloatStorage storage);

void check(const FillNormal& a, FloatStorage storage);
void check(const FlowMix& a, FloatStorage storage);
void check(const FlowLoss& a, FloatStorage storage);

void check(const AdamW& a, FloatStorage storage);
void check(const SumSquares& a, FloatStorage storage);
void check(const ClipFactor& a, FloatStorage storage);

}  // namespace wan
