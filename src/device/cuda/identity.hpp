#pragma once
#include <array>
#include <string>

namespace wan::cuda {

/// Names a GPU among all there are, as nvidia-smi does: "NVIDIA H200 GPU-1b4e28ba-…". Made of nothing that
/// depends on which GPUs a process is shown: where each rank is shown but one, all are number 0.
[[nodiscard]] std::string gpu_identity(const std::string& name, const std::array<char, 16>& uuid);

}  // namespace wan::cuda
