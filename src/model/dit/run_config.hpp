#pragma once
#include <string>

#include "config/train_config.hpp"
#include "model/dit/config.hpp"

namespace wan {

/// The run file's model group in the terms of diffusers' config.json. Throws DataError for what the suite
/// cannot run.
[[nodiscard]] DitConfig dit_config(const TrainConfig::Model& model);
/// Inverse of dit_config: the model group for a transformer of `config`; other keys have their defaults.
/// Throws DataError(`source`) for what a run file has no key for.
[[nodiscard]] TrainConfig::Model model_group(const DitConfig& config, const std::string& source);

}  // namespace wan
