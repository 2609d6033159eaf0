#pragma once
#include <vector>

#include "device/ops/cuda/cudnn_conv.hpp"
#include "device/ops/cuda/cudnn_graph.hpp"

namespace wan::cuda {

/// Numbers by which a convolution's memory is named.
namespace conv_number {
enum : std::int64_t { x = 1, weight, bias, before, y };
}

/// The convolution as a graph of cuDNN that stores `result`, channels fastest, fp32 between its operations.
[[nodiscard]] std::vector<CudnnPart> conv_operations(const ConvProblem& problem, ConvResult result);

}  // namespace wan::cuda
