#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "weights/streamed_tensor.hpp"

namespace wan {

/// A component's weight files as a folder names them.
struct WeightFile {
  std::string name;
  std::vector<std::size_t> tensors;  ///< which of the list, in its order
};

/// How tensors are dealt to files: `stem`.safetensors if all fit in `most_bytes`, else in order to
/// `stem`-00001-of-00002.safetensors and so on, none over `most_bytes` unless one tensor alone is (the rule
/// of huggingface_hub's split_state_dict_into_shards_factory). At least one file.
[[nodiscard]] std::vector<WeightFile> deal_to_files(const std::vector<StreamedTensor>& tensors,
                                                    const std::string& stem, std::int64_t most_bytes);

/// Writes them into `folder`, and `stem`.safetensors.index.json where they are several. Throws CreateError,
/// IoError, and what reading the tensors throws.
void write_weight_files(const std::string& folder, const std::string& stem,
                        const std::vector<StreamedTensor>& tensors, std::int64_t most_bytes);

}  // namespace wan
