#pragma once
#include "device/ops/check/check.hpp"

namespace wan {

/// What every body derives from: each op is held to its contract, then run. Bodies override `run`.
class CheckedOps : public Ops {
 public:
  void linear_forward(const LinearForward& a) final { checked(a); }
  void linear_backward_data(const LinearBackwardData& a) final { checked(a); }
  void linear_backward_weight(const LinearBackwardWeight& a) final { checked(a); }

  void layer_norm_forward(const LayerNormForward& a) final { checked(a); }
  void layer_norm_backward(const LayerNormBackward& a) final { checked(a); }
  void gated_residual_forward(const GatedResidualForward& a) final { checked(a); }
  void gated_residual_backward(const GatedResidualBackward& a) final { checked(a); }
  void residual_norm_forward(const ResidualNormForward& a) final { checked(a); }
  void residual_norm_backward(const ResidualNormBackward& a) final { checked(a); }
  void rms_norm_rope_forward(const RmsNormRopeForward& a) final { checked(a); }
  void rms_norm_rope_backward(const RmsNormRopeBackward& a) final { checked(a); }
  void rms_norm_rope_pair_forward(const RmsNormRopePairForward& a) final { checked(a); }
  void rms_norm_rope_pair_backward(const RmsNormRopePairBackward& a) final { checked(a); }
  void rms_norm_sum_squares(const RmsNormSumSquares& a) final { checked(a); }
  void rms_norm_rope_dot(const RmsNormRopeDot& a) final { checked(a); }

  void attention_forward(const AttentionForward& a) final { checked(a); }
  void attention_backward(const AttentionBackward& a) final { checked(a); }

  void patchify(const Patchify& a) final { checked(a); }
  void unpatchify(const Unpatchify& a) final { checked(a); }

  void cast(const Cast& a) final { checked(a); }
  void axpby(const Axpby& a) final { checked(a); }
  void activation_forward(const ActivationForward& a) final { checked(a); }
  void activation_backward(const ActivationBackward& a) final { checked(a); }
  void add_row_vector(const AddRowVector& a) final { checked(a); }
  void sum_rows(const SumRows& a) final { checked(a); }
  void timestep_embedding(const TimestepEmbedding& a) final { checked(a); }

  void fill_normal(const FillNormal& a) final { checked(a); }
  void flow_mix(const FlowMix& a) final { checked(a); }
  void flow_loss(const FlowLoss& a) final { checked(a); }

  void adamw(const AdamW& a) final { checked(a); }
  void sum_squares(const SumSquares& a) final { checked(a); }
  void clip_factor(const ClipFactor& a) final { checked(a); }

 protected:
  explicit CheckedOps(FloatStorage storage = FloatStorage::fp32_bf16) : storage_(storage) {}

  virtual void run(const LinearForward& a) = 0;
  virtual void run(const LinearBackwardData& a) = 0;
  virtual void run(const LinearBackwardWeight& a) = 0;

  virtual void run(const LayerNormForward& a) = 0;
  virtual void run(const LayerNormBackward& a) = 0;
  virtual void run(const GatedResidualForward& a) = 0;
  virtual void run(const GatedResidualBackward& a) = 0;
  virtual void run(const ResidualNormForward& a) = 0;
  virtual void run(const ResidualNormBackward& a) = 0;
  virtual void run(const RmsNormRopeForward& a) = 0;
  virtual void run(const RmsNormRopeBackward& a) = 0;
  virtual void run(const RmsNormRopePairForward& a) = 0;
  virtual void run(const RmsNormRopePairBackward& a) = 0;
  virtual void run(const RmsNormSumSquares& a) = 0;
  virtual void run(const RmsNormRopeDot& a) = 0;

  virtual void run(const AttentionForward& a) = 0;
  virtual void run(const AttentionBackward& a) = 0;

  virtual void run(const Patchify& a) = 0;
  virtual void run(const Unpatchify& a) = 0;

  virtual void run(const Cast& a) = 0;
  virtual void run(const Axpby& a) = 0;
  virtual void run(const ActivationForward& a) = 0;
  virtual void run(const ActivationBackward& a) = 0;
  virtual void run(const AddRowVector& a) = 0;
  virtual void run(const SumRows& a) = 0;
  virtual void run(const TimestepEmbedding& a) = 0;

  virtual void run(const FillNormal& a) = 0;
  virtual void run(const FlowMix& a) = 0;
  virtual void run(const FlowLoss& a) = 0;

  virtual void run(const AdamW& a) = 0;
  virtual void run(const SumSquares& a) = 0;
  virtual void run(const ClipFactor& a) = 0;

 private:
  template <class Arguments>
  void checked(const Arguments& a) {
    check(a, storage_);
    run(a);
  }

  FloatStorage storage_;
};

}  // namespace wan
