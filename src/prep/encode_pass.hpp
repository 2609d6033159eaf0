#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "device/device.hpp"
#include "prep/shard_windows.hpp"
#include "weights/model_parts.hpp"

namespace wan {

/// Encodes every empty row of the given shards, whose texts must be there. The ranks share the videos; each
/// writes its own rows as they come and their states behind them, so that nothing finished is lost when the
/// job is killed. Loads the VAE only if there is something to do. Collective. Throws on all ranks what failed
/// on one (IoError for a full disk).
[[nodiscard]] PassResult encode_clips(Runtime& runtime, Device& device, const PrepJob& job,
                                      const ModelParts& model, const std::vector<std::int64_t>& shards,
                                      EncodeCosts& costs);

/// Reads every finished row back and holds it against its hashes; a row that differs is made empty again. The
/// ranks share the rows. Returns how many rows differed; nothing if a stop was asked for. Collective.
[[nodiscard]] std::optional<std::int64_t> verify_shards(Runtime& runtime, const PrepJob& job,
                                                        const std::vector<std::int64_t>& shards);

}  // namespace wan
