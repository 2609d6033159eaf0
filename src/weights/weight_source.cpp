#include <map>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/weight_names.hpp"

namespace wan {
namespace {

constexpr const char* official_prefix = "model.diffusion_model.";

/// The name under which `weight` is stored, or "" if it is not.
std::string stored_name(const WeightSet& weights, const WeightName& weight) {
  for (const std::string& name : {weight.name, weight.official, official_prefix + weight.official}) {
    if (weights.contains(name)) return name;
  }
  // transformers may store the tied embedding under its second name only.
  if (weight.name == "shared.weight" && weights.contains("encoder.embed_tokens.weight"))
    return "encoder.embed_tokens.weight";
  return "";
}

bool may_be_left_over(const std::string& name) {
  return name.find("norm_added_q") != std::string::npos || name == "encoder.embed_tokens.weight";
}

}  // namespace

Parameters::Source weight_source(const WeightSet& weights, const std::vector<WeightName>& names) {
  std::map<std::string, std::string> stored;
  std::set<std::string> used;
  for (const WeightName& weight : names) {
    const std::string name = stored_name(weights, weight);
    if (name.empty()) (void)weights.at(weight.name);  // throws, naming the nearest
    if (const Shape& found = weights.at(name).shape; found != weight.shape) {
      throw DataError(weights.path(), cat("tensor '", name, "' has shape ", found.text(),
                                          ", config.json makes it ", weight.shape.text()));
    }
    stored.emplace(weight.name, name);
    used.insert(name);
  }
  for (const std::string& name : weights.names()) {
    if (used.count(name) == 0 && !may_be_left_over(name)) {
      throw DataError(weights.path(), cat("tensor '", name,
                                          "' belongs to no weight of the model that config.json describes"));
    }
  }
  return [&weights, stored](const ParameterSpec& spec, float* out) {
    const auto at = stored.find(spec.name);
    if (at == stored.end()) throw InternalError("no weight is named " + spec.name);
    weights.read(at->second, spec.shape, out);
  };
}

}  // namespace wan
