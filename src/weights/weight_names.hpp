#pragma once
#include <map>
#include <string>
#include <vector>

#include "model/parameters.hpp"
#include "weights/streamed_tensor.hpp"
#include "weights/weight_set.hpp"

namespace wan {

/// A weight under the name that diffusers (or transformers) gives it and under that of the official Wan2.1
/// code.
struct WeightName {
  std::string name;      ///< ours and diffusers'
  std::string official;  ///< Wan2.1's state_dict key
  Shape shape;           ///< the same in both
};

/// Under which name each weight of `names` is stored among `stored` (name and shape), by the weight's own
/// name. They may have diffusers' names or official ones, the latter also behind "model.diffusion_model.".
/// Throws DataError(`path`) if a weight is missing or has another shape, or if a tensor belongs to no weight
/// (diffusers drops "norm_added_q", transformers ties "embed_tokens": these are allowed).
[[nodiscard]] std::map<std::string, std::string> match_weights(const std::string& path,
                                                               const std::map<std::string, Shape>& stored,
                                                               const std::vector<WeightName>& names);

/// The component's weights in the order of `names` and under diffusers' names. Throws as match_weights.
[[nodiscard]] StreamedComponent matched(const StreamedComponent& component,
                                        const std::vector<WeightName>& names);

/// Reads the weights that `names` lists from `weights`, which must outlive the source. Throws at once as
/// match_weights.
[[nodiscard]] Parameters::Source weight_source(const WeightSet& weights,
                                               const std::vector<WeightName>& names);

}  // namespace wan
