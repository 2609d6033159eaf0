#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "device/ops/checked_ops.hpp"

namespace wan {

/// Work of one or many op calls. FLOPs count a multiply-add as 2 and elementwise operations roughly; bytes
/// are those an op must read and write once.
struct OpCost {
  std::int64_t calls = 0;
  std::int64_t flops = 0;
  std::int64_t bytes = 0;
};

/// The body that computes nothing: it checks arguments and counts, so that a model walked with it and an
/// Arena that measures tells memory and work. Tensor addresses are never followed; rope positions and row
/// indices need not exist.
class PlanOps final : public CheckedOps {
 public:
  [[nodiscard]] const OpCost& total() const { return total_; }
  [[nodiscard]] const std::map<std::string, OpCost>& by_op() const { return by_op_; }

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

 private:
  void count(const char* op, std::int64_t flops, std::int64_t bytes);

  OpCost total_;
  std::map<std::string, OpCost> by_op_;
};

}  // namespace wan
