#pragma once
#include <string>

#include "weights/streamed_tensor.hpp"

namespace wan {

/// The tensors of a state dict that torch.save wrote (`.pth`, a zip file of PyTorch 1.6 or later), in its
/// order. Nothing of it is executed. The file stays open as long as the tensors live. Throws NoInputError;
/// DataError naming what is wrong and where (torch/stored_zip.hpp, torch/pickle.hpp), for a tensor whose
/// storage is missing or too short, and for big-endian files.
[[nodiscard]] StreamedComponent open_state_dict(const std::string& path);

}  // namespace wan
