#pragma once
#include <cuda_runtime_api.h>

#include <memory>

#include "device/ops/attention.hpp"
#include "device/ops/cuda/attention_graphs.hpp"
#include "device/ops/kokkos/attention_part.hpp"

namespace wan::cuda {

/// Attention by cuDNN's fused kernels.
class CudnnAttention {
 public:
  /// See AttentionGraphs; `processors` is the GPU's number of multiprocessors.
  CudnnAttention(cudaStream_t stream, Choices* choices, bool deterministic, std::int64_t processors);

  /// False, with nothing done, where cuDNN has no kernel: fp32, matrices not `aligned`, head sizes that are
  /// no multiple of 8 or beyond 128, and a last key that counts more than once.
  [[nodiscard]] bool forward(Workspace& workspace, const AttentionForward& a,
                             const kernels::AttentionPart& part);
  [[nodiscard]] bool backward(Workspace& workspace, const AttentionBackward& a,
                              const kernels::AttentionPart& part);

 private:
  [[nodiscard]] AttentionGraphs& graphs();

  cudaStream_t stream_;
  Choices* choices_;
  bool deterministic_;
  std::int64_t processors_;
  std::unique_ptr<AttentionGraphs> graphs_;  ///< made when it is first wanted: loading cuDNN takes a while
};

}  // namespace wan::cuda
