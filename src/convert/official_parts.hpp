#pragma once
#include <string>

#include "model/text/umt5_config.hpp"
#include "model/vae/vae_config.hpp"
#include "weights/streamed_tensor.hpp"

namespace wan {

/// VAE, text encoder and tokenizer of an official repository. Its files tell the architectures by the shapes
/// of the weights alone; the weights are under diffusers' and transformers' names.
struct OfficialParts {
  VaeConfig vae;
  StreamedComponent vae_weights;
  Umt5Config text_encoder;
  StreamedComponent text_encoder_weights;
  std::string tokenizer;  ///< folder
};

/// Opens `folder`/Wan2.1_VAE.pth, models_t5_umt5-xxl-enc-bf16.pth and google/umt5-xxl. Throws NoInputError,
/// DataError.
[[nodiscard]] OfficialParts open_official_parts(const std::string& folder);

/// The architecture whose weights have these official names and shapes. Names and shapes that do not fit it
/// are left to match_weights. Throws DataError for a tensor that it needs and does not find.
[[nodiscard]] VaeConfig vae_config_of(const StreamedComponent& weights);
[[nodiscard]] Umt5Config umt5_config_of(const StreamedComponent& weights);

}  // namespace wan
