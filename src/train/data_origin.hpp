#pragma once
#include <string>

#include "base/json.hpp"
#include "comm/communicator.hpp"
#include "data/dataset_info.hpp"

namespace wan {

/// What a run's checkpoints tell of the data that it was trained on, for sampling and for going on: model
/// folder, hashes of VAE, text encoder and tokenizer, frame rate, and frame size where it is one for all.
[[nodiscard]] Json origin_of(const DatasetSettings& settings);

/// Throws DataError(`dataset`), naming both hashes, where `there`, the origin or hashes of `what`, names
/// another VAE, text encoder or tokenizer than `here`, the data set's origin: a model trained on latents of
/// one VAE learns nothing from those of another. What either does not name (mock data) is not compared.
void require_same_origin(const std::string& dataset, const Json& here, const Json& there,
                         const std::string& what);

enum class FolderParts { vae, all };  ///< of a model; a text encoder takes long to read

/// The same against a model folder: its VAE, or VAE and text encoder, as far as it has them. The ranks share
/// the hashing. Collective. Throws what reading the weights throws.
void require_origin_of_folder(const Communicator& world, const std::string& dataset, const Json& here,
                              const std::string& folder, FolderParts parts);

/// The same against the VAE of the model folder that the data set names, if it can be found on this machine:
/// sampling will decode with it. Collective.
void require_vae_unchanged(const Communicator& world, const std::string& dataset, const Json& here);

}  // namespace wan
