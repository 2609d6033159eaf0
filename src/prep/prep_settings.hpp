#pragma once
#include <string>

#include "config/prep_options.hpp"
#include "data/dataset_info.hpp"
#include "prep/source_plan.hpp"
#include "weights/model_parts.hpp"

namespace wan {

[[nodiscard]] PrepRules rules_of(const PrepOptions& options);

/// What all shards of the data set record.
[[nodiscard]] DatasetSettings settings_of(const PrepOptions& options, const ModelParts& model);

/// What was chosen, a line each: sizes, frame rate, clips, latents, split.
[[nodiscard]] std::string describe(const DatasetSettings& settings);

}  // namespace wan
