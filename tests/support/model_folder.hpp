#pragma once
#include <string>

#include "base/hash.hpp"
#include "model/dit/config.hpp"

namespace wan::test {

/// The transformer that small_training trains.
[[nodiscard]] DitConfig small_transformer();

/// A folder in the diffusers layout: a transformer of `config` with random weights, everything else the
/// demo model's.
void write_model_folder(const std::string& folder, const DitConfig& config);

struct ModelHashes {
  Hash128 vae;
  Hash128 text_encoder;
};
[[nodiscard]] ModelHashes hashes_of_model_folder(const std::string& folder);

}  // namespace wan::test
