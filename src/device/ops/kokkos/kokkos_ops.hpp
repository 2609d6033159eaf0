#pragma once
#include "device/ops/checked_ops.hpp"
#include "device/ops/kokkos/workspace.hpp"

namespace wan {

/// The ops that are ours on every machine, as Kokkos kernels on the default execution space. What a vendor's
/// library does better (matrix products, attention, convolution) is left to the class that derives from this.
class KokkosOps : public CheckedOps {
 protected:
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

  [[nodiscard]] Workspace& workspace() { return workspace_; }

 private:
  Workspace workspace_;
};

}  // namespace wan
