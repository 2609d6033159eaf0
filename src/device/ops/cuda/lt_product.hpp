#pragma once
#include <cublasLt.h>

#include <cstddef>
#include <string>
#include <vector>

#include "device/ops/cuda/product.hpp"

namespace wan::cuda {

/// What NVIDIA recommends for Hopper; smaller GPUs use less of it.
inline constexpr std::int64_t product_scratch_bytes = 32LL << 20U;

/// Throws CommError "[what] cuBLASLt: …" unless `status` is success.
void check_status(cublasStatus_t status, const char* what);

/// The largest power of two up to 16 that divides the address.
[[nodiscard]] std::uint32_t alignment_of(const void* data);

/// Owns one of cuBLASLt's descriptions.
template <class Handle, cublasStatus_t (*destroy)(Handle)>
class Described {
 public:
  Described() = default;
  ~Described() {
    if (handle != nullptr) destroy(handle);
  }
  Described(const Described&) = delete;
  Described& operator=(const Described&) = delete;

  Handle handle = nullptr;
};

/// A product as it is described to cuBLASLt, for all products of the same sizes, strides and kinds.
class LtProduct {
 public:
  explicit LtProduct(const Product& product);

  /// Up to `most` algorithms, the library's favourite first; none where it has no kernel.
  [[nodiscard]] std::vector<cublasLtMatmulAlgo_t> suggestions(cublasLtHandle_t library,
                                                              const Product& product, int most) const;
  /// Whether the algorithm, which may come from another shape or process, does this product.
  [[nodiscard]] bool suits(cublasLtHandle_t library, const cublasLtMatmulAlgo_t& algorithm) const;
  [[nodiscard]] cublasStatus_t run(cublasLtHandle_t library, const Product& product,
                                   const cublasLtMatmulAlgo_t& algorithm, void* scratch, cudaStream_t stream);

 private:
  void point_to(const Product& product);

  Described<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> kind_;
  Described<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy> a_;
  Described<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy> b_;
  Described<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy> c_;
};

}  // namespace wan::cuda
