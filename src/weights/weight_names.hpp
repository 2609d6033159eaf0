#pragma once
#include <string>
#include <vector>

#include "model/parameters.hpp"
#include "weights/weight_set.hpp"

namespace wan {

/// A weight under the name that diffusers (or transformers) gives it and under that of the official Wan2.1
/// code.
struct WeightName {
  std::string name;      ///< ours and diffusers'
  std::string official;  ///< Wan2.1's state_dict key
  Shape shape;           ///< the same in both
};

/// Reads the weights that `names` lists from `weights`, whose tensors have diffusers' names or official ones,
/// the latter also behind "model.diffusion_model.". `weights` must outlive the source. Throws DataError
/// at once if a weight is missing or has another shape, or if `weights` holds a tensor that belongs to no
/// weight (diffusers drops "norm_added_q", transformers ties "embed_tokens": these are allowed).
[[nodiscard]] Parameters::Source weight_source(const WeightSet& weights,
                                               const std::vector<WeightName>& names);

}  // namespace wan
