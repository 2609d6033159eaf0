#pragma once
#include "device/ops/kokkos/workspace.hpp"
#include "tensor/tensor.hpp"

namespace wan::kernels {

/// The tensor in fp32: itself, or for bf16 a dense widened copy in the workspace.
[[nodiscard]] Tensor widened(Workspace& workspace, const Tensor& tensor);
/// Where fp32 results for `tensor` go: itself, or for bf16 dense scratch with undefined content.
[[nodiscard]] Tensor fp32_target(Workspace& workspace, const Tensor& tensor);
/// Rounds into `tensor` what was computed in its fp32_target.
void store_target(const Tensor& target, const Tensor& tensor);

}  // namespace wan::kernels
