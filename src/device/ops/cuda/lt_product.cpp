#include "device/ops/cuda/lt_product.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::cuda {
namespace {

using Preference = Described<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;
using Layout = Described<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

cudaDataType_t type_of(DType dtype) {
  return dtype == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

template <class Value>
void describe(cublasLtMatmulDesc_t handle, cublasLtMatmulDescAttributes_t attribute, const Value& value) {
  check_status(cublasLtMatmulDescSetAttribute(handle, attribute, &value, sizeof value), "matmul attribute");
}

template <class Value>
void prefer(const Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute,
            const Value& value) {
  check_status(cublasLtMatmulPreferenceSetAttribute(preference.handle, attribute, &value, sizeof value),
               "matmul preference");
}

/// A column-major matrix, which is how cuBLASLt sees the transpose of a row-major one.
void lay_out(Layout& layout, DType dtype, std::int64_t rows, std::int64_t cols, std::int64_t stride,
             std::int64_t batches, std::int64_t batch_stride) {
  check_status(cublasLtMatrixLayoutCreate(&layout.handle, type_of(dtype), static_cast<std::uint64_t>(rows),
                                          static_cast<std::uint64_t>(cols), stride),
               "matrix layout");
  if (batches == 1) return;
  const auto count = static_cast<std::int32_t>(batches);
  check_status(cublasLtMatrixLayoutSetAttribute(layout.handle, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count,
                                                sizeof count),
               "batch count");
  check_status(cublasLtMatrixLayoutSetAttribute(layout.handle, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                                &batch_stride, sizeof batch_stride),
               "batch stride");
}

cublasLtEpilogue_t epilogue_of(const Product& p) {
  switch (p.epilogue) {
    case Epilogue::none:
      return CUBLASLT_EPILOGUE_DEFAULT;
    case Epilogue::bias:
      return CUBLASLT_EPILOGUE_BIAS;
    case Epilogue::gelu_bias:
      return p.aux == nullptr ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU_AUX_BIAS;
    case Epilogue::gelu_gradient:
      return CUBLASLT_EPILOGUE_DGELU;
    case Epilogue::row_sums:
      return CUBLASLT_EPILOGUE_BGRADB;  // its b is our a
  }
  throw InternalError("[matmul] an unknown epilogue");
}

}  // namespace

bool aligned(const Tensor& tensor) {
  const std::int64_t stride_bytes = tensor.row_stride * bytes_of(tensor.dtype);
  return alignment_of(tensor.data) == 16 && (tensor.rows() <= 1 || stride_bytes % 16 == 0);
}

void check_status(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw CommError(cat("[", what, "] cuBLASLt: ", cublasLtGetStatusString(status)));
  }
}

std::uint32_t alignment_of(const void* data) {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  return address % 16 == 0 ? 16 : static_cast<std::uint32_t>(address & (~address + 1));
}

LtProduct::LtProduct(const Product& p) {
  check_status(cublasLtMatmulDescCreate(&kind_.handle, CUBLAS_COMPUTE_32F, CUDA_R_32F), "matmul description");
  // Row-major c = a b is column-major c' = b' a': the library's first operand is our second.
  describe(kind_.handle, CUBLASLT_MATMUL_DESC_TRANSA, p.b.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  describe(kind_.handle, CUBLASLT_MATMUL_DESC_TRANSB, p.a.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  describe(kind_.handle, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(p));
  if (p.sums != nullptr) describe(kind_.handle, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_32F);
  if (p.bias != nullptr) describe(kind_.handle, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(p.result));
  if (p.aux != nullptr) describe(kind_.handle, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, p.aux_stride);
  point_to(p);
  const auto [b_rows, b_cols] = p.b.transposed ? std::pair(p.inner, p.cols) : std::pair(p.cols, p.inner);
  const auto [a_rows, a_cols] = p.a.transposed ? std::pair(p.rows, p.inner) : std::pair(p.inner, p.rows);
  lay_out(a_, p.storage, b_rows, b_cols, p.b.stride, p.batches, p.b.batch_stride);
  lay_out(b_, p.storage, a_rows, a_cols, p.a.stride, p.batches, p.a.batch_stride);
  lay_out(c_, p.result, p.cols, p.rows, p.c_stride, p.batches, p.c_batch_stride);
}

void LtProduct::point_to(const Product& p) {
  if (p.sums != nullptr) describe(kind_.handle, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.sums);
  if (p.bias != nullptr) describe(kind_.handle, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
  if (p.aux != nullptr) describe(kind_.handle, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, p.aux);
}

std::vector<cublasLtMatmulAlgo_t> LtProduct::suggestions(cublasLtHandle_t library, const Product& p,
                                                         int most) const {
  Preference preference;
  check_status(cublasLtMatmulPreferenceCreate(&preference.handle), "matmul preference");
  prefer(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
         static_cast<std::uint64_t>(product_scratch_bytes));
  const std::uint32_t c_alignment = alignment_of(p.c);
  prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(p.b.data));
  prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(p.a.data));
  prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, c_alignment);
  prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, c_alignment);
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(most));
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(library, kind_.handle, a_.handle, b_.handle, c_.handle, c_.handle,
                                     preference.handle, most, found.data(), &count);
  std::vector<cublasLtMatmulAlgo_t> out;
  if (status != CUBLAS_STATUS_SUCCESS) return out;
  for (int i = 0; i < count; ++i) {
    const cublasLtMatmulHeuristicResult_t& result = found[static_cast<std::size_t>(i)];
    if (result.state == CUBLAS_STATUS_SUCCESS) out.push_back(result.algo);
  }
  return out;
}

bool LtProduct::suits(cublasLtHandle_t library, const cublasLtMatmulAlgo_t& algorithm) const {
  cublasLtMatmulHeuristicResult_t result{};
  const cublasStatus_t status = cublasLtMatmulAlgoCheck(library, kind_.handle, a_.handle, b_.handle,
                                                        c_.handle, c_.handle, &algorithm, &result);
  return status == CUBLAS_STATUS_SUCCESS && result.state == CUBLAS_STATUS_SUCCESS &&
         static_cast<std::int64_t>(result.workspaceSize) <= product_scratch_bytes;
}

cublasStatus_t LtProduct::run(cublasLtHandle_t library, const Product& p,
                              const cublasLtMatmulAlgo_t& algorithm, void* scratch, cudaStream_t stream) {
  point_to(p);
  return cublasLtMatmul(library, kind_.handle, &p.alpha, p.b.data, a_.handle, p.a.data, b_.handle, &p.beta,
                        p.c, c_.handle, p.c, c_.handle, &algorithm, scratch,
                        static_cast<std::size_t>(product_scratch_bytes), stream);
}

}  // namespace wan::cuda
