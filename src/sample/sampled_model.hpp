#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/hash.hpp"
#include "config/sample_options.hpp"
#include "model/dit/dit.hpp"
#include "runtime/runtime.hpp"
#include "weights/model_parts.hpp"

namespace wan {

/// Which transformer weights they are, and where they were found.
struct WeightsOrigin {
  std::string path;                  ///< the checkpoint's folder, or the transformer's in a model folder
  std::optional<std::int64_t> step;  ///< of a checkpoint
  bool averaged = false;             ///< the exponential average of the weights
  Hash128 hash;                      ///< of all names, shapes and values
};

/// Whose weights make the videos: a checkpoint's, or a model folder's own transformer.
struct SampledModel {
  DitConfig config;
  Parameters::Source weights;  ///< fp32, by name
  WeightsOrigin origin;
  std::optional<FrameSize> trained_size;  ///< of the data set, if all its clips had one
  ModelParts parts;                       ///< VAE, text encoder and tokenizer
};

/// Opens what the flags name and verifies it. VAE and text encoder are those of `--model`, else those that
/// the checkpoint recorded; if the checkpoint recorded hashes, they must agree. For a dry run the parts'
/// weights are neither read nor needed, and have no hashes. Throws NoInputError, DataError, UsageError on all
/// ranks. Collective.
[[nodiscard]] SampledModel open_sampled_model(Runtime& runtime, const SampleOptions& options);

}  // namespace wan
