#pragma once
#include "config/train_config.hpp"
#include "model/dit/config.hpp"
#include "tensor/dtype.hpp"

namespace wan {

/// The run file's model group in the terms of diffusers' config.json. Throws DataError for what the suite
/// cannot run.
[[nodiscard]] DitConfig dit_config(const TrainConfig::Model& model);
[[nodiscard]] DType storage_dtype(Storage storage);

}  // namespace wan
