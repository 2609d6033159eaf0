#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "config/convert_options.hpp"
#include "convert/source.hpp"

namespace wan {

/// What a conversion will write, checked; nothing is written yet.
struct Conversion {
  std::string what;        ///< for people
  std::int64_t bytes = 0;  ///< on the disk, without files that are linked or copied as they are
  /// Fills an empty folder.
  std::function<void(const std::string& folder)> write;
};

/// A model folder that diffusers loads. VAE, text encoder, tokenizer and scheduler of a model folder are
/// linked or copied, those of an official repository converted. Throws what opening them throws; DataError if
/// they are not the ones that a checkpoint recorded; UsageError if it recorded none and none are named.
[[nodiscard]] Conversion to_diffusers(const ConvertSource& source, const ConvertOptions& options);

/// Configuration and transformer as the official repositories name them.
[[nodiscard]] Conversion to_official(const ConvertSource& source, const ConvertOptions& options);

/// A run folder with iter_0000000: the weights, a configuration of that architecture, and where VAE, text
/// encoder and tokenizer are, with their hashes.
[[nodiscard]] Conversion to_checkpoint(const ConvertSource& source, const ConvertOptions& options);

}  // namespace wan
