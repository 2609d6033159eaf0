#pragma once
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "tensor/shape.hpp"

/// Latents as other programs exchange them: a safetensors file with one tensor `latent` [16, T', H', W'],
/// fp32, normalised space.
namespace wan {

/// content_hash of a latent's values.
[[nodiscard]] Hash128 latent_hash(const std::vector<float>& latent);

/// The latent in `path`. Throws NoInputError; DataError unless it is fp32, of this shape and finite.
[[nodiscard]] std::vector<float> read_latent(const std::string& path, const Shape& shape);

/// Whether `path` is such a file and its values have this hash.
[[nodiscard]] bool holds_latent(const std::string& path, const Hash128& hash);

/// Written in one step. Throws CreateError, IoError.
void write_latent(const std::string& path, const std::vector<float>& latent, const Shape& shape);

}  // namespace wan
