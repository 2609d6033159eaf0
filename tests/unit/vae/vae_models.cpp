#include "unit/vae/vae_models.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/text.hpp"
#include "support/hashed.hpp"
#include "support/tensors.hpp"
#include "weights/vae_weight_names.hpp"

namespace wan::test {
namespace {

bool is_gamma(const WeightName& tensor) {
  return tensor.name.find(".gamma") != std::string::npos;
}

}  // namespace

VaeWeights hashed_weights(const VaeConfig& config) {
  VaeWeights out;
  std::uint32_t k = 0;
  for (const WeightName& tensor : vae_weight_names(config)) {
    const double base = is_gamma(tensor) ? 1 : 0;
    const double amplitude = !is_gamma(tensor) && tensor.shape.rank() > 1 ? 0.2 : 0.1;
    out[tensor.name] = hashed_tensor(k++, tensor.shape.elements(), base, amplitude);
  }
  return out;
}

VaeWeights random_weights(const VaeConfig& config, std::uint64_t seed) {
  VaeWeights out;
  for (const WeightName& tensor : vae_weight_names(config)) {
    const std::int64_t count = tensor.shape.elements();
    const double inputs = static_cast<double>(count) / static_cast<double>(tensor.shape[0]);
    const double deviation = is_gamma(tensor) || tensor.shape.rank() == 1 ? 0.1 : 0.8 / std::sqrt(inputs);
    out[tensor.name] = normals(++seed, count, static_cast<float>(deviation), is_gamma(tensor) ? 1 : 0);
  }
  return out;
}

Parameters::Source source_of(const VaeWeights& weights) {
  return [&weights](const ParameterSpec& spec, float* out) {
    const auto found = weights.find(spec.name);
    if (found == weights.end()) throw DataError("weights", "no tensor " + spec.name);
    if (static_cast<std::int64_t>(found->second.size()) != spec.shape.elements()) {
      throw DataError("weights",
                      cat(spec.name, " has ", found->second.size(), " elements, not ", spec.shape.text()));
    }
    std::copy(found->second.begin(), found->second.end(), out);
  };
}

}  // namespace wan::test
