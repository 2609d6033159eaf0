#pragma once
#include "model/dit/context.hpp"
#include "model/parameter_unit.hpp"

namespace wan {

/// 1 / sqrt(head size).
[[nodiscard]] float attention_scale(const DitContext& context);

/// y = R(x * rstd * weight): RMS over all heads jointly, then the rotation if `rope` is given. x and y [N or
/// M, C]; y may be x; rstd [N or M] fp32 is written. With tp > 1 each rank holds its own heads' columns and
/// the sums over channels are reduced over the ranks.
void head_norm_forward(const DitContext& context, const ParameterUnit& unit, int weight_group,
                       const RopeTable& rope, const Tensor& x, const Tensor& y, const Tensor& rstd);

/// `d` holds the gradient of y and becomes that of x; the weight's gradient is added to.
void head_norm_backward(const DitContext& context, const ParameterUnit& unit, int weight_group,
                        const RopeTable& rope, const Tensor& x, const Tensor& rstd, const Tensor& d);

}  // namespace wan
