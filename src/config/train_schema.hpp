#pragma once
#include "config/schema.hpp"
#include "config/train_config.hpp"

namespace wan {

/// The table of a training run's keys, bound to `config`, which must outlive it. Key names and groups are
/// those of NeMo DFM and Megatron-Bridge; what `config` holds now are the defaults.
[[nodiscard]] Schema train_schema(TrainConfig& config);

/// Adds the keys of NeMo DFM's run files that have no effect here, or that ask for what does not exist yet.
void add_foreign_keys(Schema& schema);

}  // namespace wan
