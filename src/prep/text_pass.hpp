#pragma once
#include <cstdint>
#include <vector>

#include "device/device.hpp"
#include "prep/shard_windows.hpp"
#include "weights/model_parts.hpp"

namespace wan {

/// Encodes the texts that are missing in the given shards: every row's caption, and the empty prompt where
/// there are rows. The ranks share the videos, whose rows have one caption. All texts come before the first
/// clip, so that the text encoder (11 GB in bf16 for UMT5-XXL) and the VAE with its frames are never in
/// memory together. Encoding them side by side would gain little, because a text costs some per cent of a
/// clip. The text encoder is not even loaded by a job that continues behind this pass. Collective; throws on
/// all ranks what failed on one.
[[nodiscard]] PassResult encode_texts(Runtime& runtime, Device& device, const PrepJob& job,
                                      const ModelParts& model, const std::vector<std::int64_t>& shards,
                                      EncodeCosts& costs);

}  // namespace wan
