#include "sample/latent_files.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/safetensors.hpp"

namespace wan {
namespace {

constexpr const char* tensor_name = "latent";

}  // namespace

Hash128 latent_hash(const std::vector<float>& latent) {
  return content_hash(latent.data(), static_cast<std::int64_t>(latent.size()), sizeof(float), 0);
}

std::vector<float> read_latent(const std::string& path, const Shape& shape) {
  const SafetensorsFile file(path);
  const StoredTensor& found = file.at(tensor_name);
  if (found.dtype != DType::f32 || found.shape != shape) {
    throw DataError(path, cat("tensor '", tensor_name, "' is ", name_of(found.dtype), " ", found.shape.text(),
                              ", allowed for this video: fp32 ", shape.text()));
  }
  std::vector<float> latent = file.floats(tensor_name);
  const auto broken = std::find_if(latent.begin(), latent.end(), [](float x) { return !std::isfinite(x); });
  if (broken != latent.end()) {
    throw DataError(path, cat("tensor '", tensor_name, "' holds ", *broken, " at element ",
                              broken - latent.begin(), ", allowed: finite numbers"));
  }
  return latent;
}

bool holds_latent(const std::string& path, const Hash128& hash) {
  try {
    const SafetensorsFile file(path);
    const StoredTensor* found = file.find(tensor_name);
    return found != nullptr && found->dtype == DType::f32 && file.hash(*found) == hash;
  } catch (const Error&) {
    return false;
  }
}

void write_latent(const std::string& path, const std::vector<float>& latent, const Shape& shape) {
  write_safetensors(path, {{tensor_name, DType::f32, shape, latent.data()}});
}

}  // namespace wan
