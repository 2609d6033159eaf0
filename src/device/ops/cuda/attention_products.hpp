#pragma once
#include <cstdint>

#include "device/ops/attention.hpp"
#include "device/ops/cuda/blas.hpp"
#include "device/ops/kokkos/attention_part.hpp"
#include "device/ops/kokkos/workspace.hpp"

// Attention by matrix products with the logits of a block of queries in memory: any head size, dtype and
// number of keys.
namespace wan::cuda {

/// T5's bias of logits by position, see kernels::AttentionRows.
struct PositionBias {
  const float* table = nullptr;
  std::int64_t longest = 0;
};

/// The op on a part of one segment; `lse` of `a` is written if given. `a.segments` is not read.
void attend_by_products(Blas& blas, Workspace& workspace, const AttentionForward& a,
                        const kernels::AttentionPart& part, const PositionBias& bias = {});
/// The same of the backward op; writes the segment's rows of dq, dk, dv.
void attend_back_by_products(Blas& blas, Workspace& workspace, const AttentionBackward& a,
                             const kernels::AttentionPart& part);

}  // namespace wan::cuda
