#pragma once
#include "device/ops/attention.hpp"
#include "device/ops/elementwise.hpp"
#include "device/ops/flow.hpp"
#include "device/ops/gated_residual.hpp"
#include "device/ops/layer_norm.hpp"
#include "device/ops/linear.hpp"
#include "device/ops/optimizer.hpp"
#include "device/ops/patch.hpp"
#include "device/ops/residual_norm.hpp"
#include "device/ops/rms_norm_rope.hpp"

namespace wan {

/// The operations that models are written in. Bodies: ref (slow and obvious, the oracle), plan (no data:
/// counts FLOPs and bytes), host (Kokkos and oneDNN), cuda. Tensors are device memory; vectors and segments
/// are host memory that the op has read when the call returns. All ops run on the device's compute stream, in
/// call order. Each op's contract stands at its argument struct. Wrong shapes or dtypes throw InternalError
/// "[op] found …, allowed …".
class Ops {
 public:
  virtual ~Ops() = default;

  virtual void linear_forward(const LinearForward& a) = 0;
  virtual void linear_backward_data(const LinearBackwardData& a) = 0;
  virtual void linear_backward_weight(const LinearBackwardWeight& a) = 0;

  virtual void layer_norm_forward(const LayerNormForward& a) = 0;
  virtual void layer_norm_backward(const LayerNormBackward& a) = 0;
  virtual void gated_residual_forward(const GatedResidualForward& a) = 0;
  virtual void gated_residual_backward(const GatedResidualBackward& a) = 0;
  virtual void residual_norm_forward(const ResidualNormForward& a) = 0;
  virtual void residual_norm_backward(const ResidualNormBackward& a) = 0;
  virtual void rms_norm_rope_forward(const RmsNormRopeForward& a) = 0;
  virtual void rms_norm_rope_backward(const RmsNormRopeBackward& a) = 0;
  virtual void rms_norm_rope_pair_forward(const RmsNormRopePairForward& a) = 0;
  virtual void rms_norm_rope_pair_backward(const RmsNormRopePairBackward& a) = 0;
  virtual void rms_norm_sum_squares(const RmsNormSumSquares& a) = 0;
  virtual void rms_norm_rope_dot(const RmsNormRopeDot& a) = 0;

  virtual void attention_forward(const AttentionForward& a) = 0;
  virtual void attention_backward(const AttentionBackward& a) = 0;

  virtual void patchify(const Patchify& a) = 0;
  virtual void unpatchify(const Unpatchify& a) = 0;

  virtual void cast(const Cast& a) = 0;
  virtual void axpby(const Axpby& a) = 0;
  virtual void activation_forward(const ActivationForward& a) = 0;
  virtual void activation_backward(const ActivationBackward& a) = 0;
  virtual void add_row_vector(const AddRowVector& a) = 0;
  virtual void sum_rows(const SumRows& a) = 0;
  virtual void timestep_embedding(const TimestepEmbedding& a) = 0;

  virtual void fill_normal(const FillNormal& a) = 0;
  virtual void flow_mix(const FlowMix& a) = 0;
  virtual void flow_loss(const FlowLoss& a) = 0;

  virtual void adamw(const AdamW& a) = 0;
  virtual void sum_squares(const SumSquares& a) = 0;
  virtual void clip_factor(const ClipFactor& a) = 0;
};

}  // namespace wan
