#pragma once
#include "device/ops/checked_ops.hpp"

namespace wan {

/// The slow and obvious body: every operand is widened to double, every loop stands as the contract's
/// formula, every result is rounded once. Oracle of the tests and body of `--reference`. Works on host
/// memory; accepts fp64 storage too, so that its own derivatives are checked by finite differences.
class RefOps final : public CheckedOps {
 public:
  RefOps() : CheckedOps(FloatStorage::fp32_bf16_fp64) {}

 protected:
  void run(const LinearForward& a) override;
  void run(const LinearBackwardData& a) override;
  void run(const LinearBackwardWeight& a) override;

  void run(const LayerNormForward& a) override;
  void run(const LayerNormBackward& a) override;
  void run(const GatedResidualForward& a) override;
  void run(const GatedResidualBackward& a) override;
  void run(const ResidualNormForward& a) override;
  void run(const ResidualNormBackward& a) override;
  void run(const RmsNormRopeForward& a) override;
  void run(const RmsNormRopeBackward& a) override;
  void run(const RmsNormRopePairForward& a) override;
  void run(const RmsNormRopePairBackward& a) override;
  void run(const RmsNormSumSquares& a) override;
  void run(const RmsNormRopeDot& a) override;

  void run(const AttentionForward& a) override;
  void run(const AttentionBackward& a) override;

  void run(const Patchify& a) override;
  void run(const Unpatchify& a) override;

  void run(const Cast& a) override;
  void run(const Axpby& a) override;
  void run(const ActivationForward& a) override;
  void run(const ActivationBackward& a) override;
  void run(const AddRowVector& a) override;
  void run(const SumRows& a) override;
  void run(const TimestepEmbedding& a) override;

  void run(const FillNormal& a) override;
  void run(const FlowMix& a) override;
  void run(const FlowLoss& a) override;

  void run(const AdamW& a) override;
  void run(const SumSquares& a) override;
  void run(const ClipFactor& a) override;
};

}  // namespace wan
