#pragma once
#include "device/ops/kokkos/workspace.hpp"
#include "device/ops/linear.hpp"

// What follows a matrix product where the product's library does not do it.
namespace wan::kernels {

/// u = product + bias into a.pre, act(u) into a.y. `product` is fp32 [N, M] and may be y or pre.
void end_linear_forward(Workspace& workspace, const Tensor& product, const LinearForward& a);
/// dx = [dx +] product * act'(pre). `product` is fp32 [N, K] and may be dx.
void end_linear_backward_data(const Tensor& product, const LinearBackwardData& a);

}  // namespace wan::kernels
