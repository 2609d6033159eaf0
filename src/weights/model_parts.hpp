#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "comm/communicator.hpp"
#include "config/choices.hpp"
#include "model/text/tokenizer.hpp"
#include "model/text/umt5_encoder.hpp"
#include "model/vae/vae.hpp"
#include "weights/weight_names.hpp"

namespace wan {

/// How the weights of VAE and text encoder are had.
struct PartsWeights {
  /// Random ones of this seed stand in for those of the folder, which then needs no weight files.
  std::optional<std::uint64_t> random_seed;
  ModelStorage storage = ModelStorage::automatic;
  bool hashed = true;  ///< or no weight is read, and the hashes of VAE and text encoder are 0
};
/// A flag's value as a seed.
[[nodiscard]] inline std::optional<std::uint64_t> seed_of(const std::optional<std::int64_t>& flag) {
  if (!flag) return std::nullopt;
  return static_cast<std::uint64_t>(*flag);
}

/// A model folder's VAE, text encoder and tokenizer, before any weight is loaded.
struct ModelParts {
  std::string folder;
  VaeConfig vae;
  Umt5Config text_encoder;
  Tokenizer tokenizer;
  PartsWeights weights;
  Hash128 vae_hash;  ///< component_hash of the weights; of random ones: of seed and configuration
  Hash128 text_encoder_hash;
  Hash128 tokenizer_hash;  ///< file_hash of spiece.model
};

/// Finds and reads them; the ranks share the hashing. Collective. Throws NoInputError, DataError on all
/// ranks.
[[nodiscard]] ModelParts read_model_parts(const Communicator& world, const std::string& model,
                                          const PartsWeights& weights = {});

/// component_hash of a component's folder, the ranks sharing the tensors; with a seed that of random weights.
/// Collective. Throws NoInputError, DataError on all ranks.
[[nodiscard]] Hash128 shared_component_hash(const Communicator& world, const std::string& component,
                                            std::optional<std::uint64_t> random_seed = {});

/// The weights `names` of a component's folder, whose files stay open as long as the source lives; with a
/// seed random ones. Throws NoInputError, DataError.
[[nodiscard]] Parameters::Source component_weights(const std::string& component,
                                                   const std::vector<WeightName>& names,
                                                   std::optional<std::uint64_t> random_seed);

/// The parts' weights on `device`.
[[nodiscard]] Vae load_vae(Device& device, const ModelParts& model, VaeParts parts);
[[nodiscard]] Umt5Encoder load_text_encoder(Device& device, const ModelParts& model);

}  // namespace wan
