#pragma once
#include "device/ops/kokkos/workspace.hpp"
#include "tensor/tensor.hpp"

namespace wan::kernels {

/// out[c] += sum over rows of x[row, c]; `out` fp32, flat.
void sum_matrix_rows(const char* label, Workspace& workspace, const Tensor& x, const Tensor& out);

}  // namespace wan::kernels
