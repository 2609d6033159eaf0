#pragma once
#include <cuda_runtime_api.h>

namespace wan::cuda {

/// Throws CommError "[what] CUDA: …" unless `status` is success.
void check(cudaError_t status, const char* what);

}  // namespace wan::cuda
