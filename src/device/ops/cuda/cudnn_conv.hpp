#pragma once
#include <cuda_runtime_api.h>

#include <array>
#include <cstdint>
#include <memory>

#include "device/ops/cuda/choices.hpp"
#include "device/ops/kokkos/workspace.hpp"

namespace wan::cuda {

/// Frames, rows, columns.
using Extents = std::array<std::int64_t, 3>;

/// What a convolution stores.
enum class ConvResult {
  product,      ///< y = conv(x)
  biased,       ///< y = conv(x) + bias
  accumulated,  ///< y += conv(x) + bias
};

/// A convolution of channels-last frames of bf16 with sums in fp32, rounded once.
struct ConvProblem {
  std::int64_t inputs = 0;   ///< a multiple of 8
  std::int64_t outputs = 0;  ///< a multiple of 8
  Extents x{};
  Extents y{};
  Extents kernel{1, 1, 1};
  Extents stride{1, 1, 1};
  Extents padding{};  ///< zeros on both sides
  ConvResult result = ConvResult::product;
};

/// Memory of a ConvProblem, on the GPU, aligned to 16 bytes.
struct ConvMemory {
  const void* x = nullptr;
  const void* weight = nullptr;  ///< bf16 [outputs, kernel frames, rows, columns, inputs]
  const float* bias = nullptr;   ///< [outputs], or none for a product
  void* y = nullptr;
};

/// Convolutions by cuDNN. Bias and sum are its kernel's or ours after it. What was built for a problem is
/// kept for the next time.
class CudnnConv {
 public:
  /// With `choices`, the ways to solve a large problem are raced once, and what won is kept there; else the
  /// one expected to be fastest is taken, which is the same in every process.
  CudnnConv(cudaStream_t stream, Choices* choices);
  ~CudnnConv();
  CudnnConv(const CudnnConv&) = delete;
  CudnnConv& operator=(const CudnnConv&) = delete;

  /// Whether cuDNN has a kernel for it.
  [[nodiscard]] bool can(const ConvProblem& problem);
  /// Nothing else may be asked for than what it `can`.
  void run(Workspace& workspace, const ConvProblem& problem, const ConvMemory& memory);

 private:
  struct Library;

  cudaStream_t stream_;
  Choices* choices_;
  std::unique_ptr<Library> library_;  ///< made when it is first wanted: loading cuDNN takes a while
};

}  // namespace wan::cuda
