#pragma once
#include <cuda_runtime_api.h>

#include <array>
#include <cstdint>
#include <memory>

#include "device/ops/cuda/choices.hpp"
#include "device/ops/kokkos/workspace.hpp"

namespace wan::cuda {

/// Attention as cuDNN is asked for it: of each head, `runs` runs of queries that lie one after the other,
/// each with keys of its own, which lie likewise, or all with the same. All bf16.
struct AttentionShape {
  std::int64_t heads = 0, head_dim = 0;
  std::int64_t runs = 1;
  bool shared_keys = false;
  std::int64_t queries = 0, keys = 0;    ///< of one run
  std::array<std::int64_t, 8> stride{};  ///< of the rows of q, k, v, o, dout, dq, dk, dv
  std::int64_t lse_stride = 0;           ///< from one head to the next; of a backward runs * queries
  float scale = 0;
  bool statistics = false;  ///< whether a forward writes lse
  bool backward = false;
};

/// Each matrix's first element.
struct AttentionPointers {
  void *q = nullptr, *k = nullptr, *v = nullptr, *o = nullptr;
  float* lse = nullptr;
  void *dout = nullptr, *dq = nullptr, *dk = nullptr, *dv = nullptr;
};

/// cuDNN's fused attention kernels, found once per shape.
class AttentionGraphs {
 public:
  /// With `choices`, the engines for large shapes are raced and the winner is kept there. A deterministic
  /// backward gives the same bits each time and takes scratch memory of 2 bytes for each pair of a query and
  /// a key of each head.
  AttentionGraphs(cudaStream_t stream, Choices* choices, bool deterministic);
  ~AttentionGraphs();
  AttentionGraphs(const AttentionGraphs&) = delete;
  AttentionGraphs& operator=(const AttentionGraphs&) = delete;

  /// False, with nothing done, where cuDNN has no kernel; a warning says so once per shape.
  [[nodiscard]] bool run(Workspace& workspace, const AttentionShape& shape,
                         const AttentionPointers& pointers);

 private:
  struct Library;
  std::unique_ptr<Library> library_;
};

}  // namespace wan::cuda
