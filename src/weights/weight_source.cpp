#include <map>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/weight_names.hpp"

namespace wan {
namespace {

constexpr const char* official_prefix = "model.diffusion_model.";

using Shapes = std::map<std::string, Shape>;

/// The name under which `weight` is stored, or "" if it is not.
std::string stored_name(const Shapes& stored, const WeightName& weight) {
  for (const std::string& name : {weight.name, weight.official, official_prefix + weight.official}) {
    if (stored.count(name) != 0) return name;
  }
  // transformers may store the tied embedding under its second name only.
  if (weight.name == "shared.weight" && stored.count("encoder.embed_tokens.weight") != 0)
    return "encoder.embed_tokens.weight";
  return "";
}

bool may_be_left_over(const std::string& name) {
  return name.find("norm_added_q") != std::string::npos || name == "encoder.embed_tokens.weight";
}

[[noreturn]] void complain_missing(const std::string& path, const Shapes& stored, const WeightName& weight) {
  std::vector<std::string> found;
  for (const auto& [name, shape] : stored) found.push_back(name);
  throw DataError(path, cat("has no tensor '", weight.name, "' of shape ", weight.shape.text(),
                            ", officially '", weight.official, "'; the nearest of ", found.size(), " is '",
                            nearest(weight.name, found), "'"));
}

}  // namespace

std::map<std::string, std::string> match_weights(const std::string& path,
                                                 const std::map<std::string, Shape>& stored,
                                                 const std::vector<WeightName>& names) {
  std::map<std::string, std::string> out;
  std::set<std::string> used;
  for (const WeightName& weight : names) {
    const std::string name = stored_name(stored, weight);
    if (name.empty()) complain_missing(path, stored, weight);
    if (const Shape& found = stored.at(name); found != weight.shape) {
      throw DataError(path, cat("tensor '", name, "' has shape ", found.text(), ", the model's is ",
                                weight.shape.text()));
    }
    out.emplace(weight.name, name);
    used.insert(name);
  }
  for (const auto& [name, shape] : stored) {
    if (used.count(name) == 0 && !may_be_left_over(name)) {
      throw DataError(path, cat("tensor '", name, "' ", shape.text(), " belongs to none of the model's ",
                                names.size(), " weights"));
    }
  }
  return out;
}

StreamedComponent matched(const StreamedComponent& component, const std::vector<WeightName>& names) {
  Shapes shapes;
  std::map<std::string, const StreamedTensor*> tensors;
  for (const StreamedTensor& tensor : component.tensors) {
    shapes.emplace(tensor.name, tensor.shape);
    tensors.emplace(tensor.name, &tensor);
  }
  const std::map<std::string, std::string> stored = match_weights(component.path, shapes, names);
  StreamedComponent out{component.path, {}};
  for (const WeightName& weight : names) {
    out.tensors.push_back(*tensors.at(stored.at(weight.name)));
    out.tensors.back().name = weight.name;
  }
  return out;
}

Parameters::Source weight_source(const WeightSet& weights, const std::vector<WeightName>& names) {
  Shapes shapes;
  for (const std::string& name : weights.names()) shapes.emplace(name, weights.at(name).shape);
  return [&weights, stored = match_weights(weights.path(), shapes, names)](const ParameterSpec& spec,
                                                                           float* out) {
    const auto at = stored.find(spec.name);
    if (at == stored.end()) throw InternalError("no weight is named " + spec.name);
    weights.read(at->second, spec.shape, out);
  };
}

}  // namespace wan
