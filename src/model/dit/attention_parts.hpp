#pragma once
#include "model/dit/context.hpp"
#include "model/parameter_unit.hpp"

namespace wan {

/// 1 / sqrt(head size).
[[nodiscard]] float attention_scale(const DitContext& context);

/// Queries or keys, whose norm is over all heads jointly. With tp > 1 each rank holds its own heads' columns
/// and the sums over channels are reduced over the ranks.
struct HeadNorm {
  Tensor x;        ///< [N or M, C] before the norm
  Tensor weight;   ///< [C]
  Tensor dweight;  ///< [C] fp32, added to by the backward; not given where frozen
  Tensor rstd;     ///< [N or M] fp32, written by the forward; optional there
};

[[nodiscard]] HeadNorm head_norm(const ParameterUnit& unit, int weight_group, const Tensor& x,
                                 const Tensor& rstd);

/// y = R(x * rstd * weight), the rotation if `rope` is given; y may be x.
void head_norm_forward(const DitContext& context, const RopeTable& rope, const HeadNorm& head,
                       const Tensor& y);
/// Of queries and keys together.
void head_norms_forward(const DitContext& context, const RopeTable& rope, const HeadNorm& q,
                        const Tensor& q_out, const HeadNorm& k, const Tensor& k_out);

/// `d` holds the gradient of y and becomes that of x; the weight's gradient is added to.
void head_norm_backward(const DitContext& context, const RopeTable& rope, const HeadNorm& head,
                        const Tensor& d);
/// Of queries and keys together.
void head_norms_backward(const DitContext& context, const RopeTable& rope, const HeadNorm& q,
                         const Tensor& dq, const HeadNorm& k, const Tensor& dk);

}  // namespace wan
