#include "device/ops/cuda/status.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan::cuda {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw CommError(
      cat("[", what, "] CUDA: ", cudaGetErrorString(status), " (", cudaGetErrorName(status), ")"));
}

}  // namespace wan::cuda
