#pragma once
#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <memory>

#include "device/ops/cuda/choices.hpp"
#include "device/ops/cuda/product.hpp"
#include "device/ops/kokkos/workspace.hpp"

namespace wan::cuda {

/// Matrix products by cuBLASLt, sums in fp32 (fp32 operands are not shortened to TF32). What was chosen for a
/// product is kept for the next time.
class Blas {
 public:
  /// With `choices`, algorithms of large products are raced once per class of shapes, and what won is kept
  /// there; else the library's first suggestion is taken, which is the same in every process.
  explicit Blas(cudaStream_t stream, Choices* choices = nullptr);
  ~Blas();
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;

  /// Nothing happens to an empty c; inner is at least 1. bf16 operands are `aligned`.
  void run(const Product& product);
  /// Milliseconds of the product's algorithm when it was raced; 0 if it was not, infinity if the library has
  /// none. Leaves c as it was where beta is not 0.
  [[nodiscard]] float raced_ms(const Product& product);

 private:
  struct Plan;
  struct Key;
  struct Library;
  [[nodiscard]] Plan& plan_of(const Product& product);
  void choose(Plan& plan, const Product& product);
  void race_algorithms(Plan& plan, const Product& product);

  cudaStream_t stream_;
  Choices* choices_;
  std::unique_ptr<Library> library_;
  std::map<Key, std::unique_ptr<Plan>> plans_;
  Workspace workspace_;
};

}  // namespace wan::cuda
