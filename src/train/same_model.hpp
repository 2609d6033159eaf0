#pragma once
#include <string>

#include "model/dit/config.hpp"

namespace wan {

/// Throws ConfigError where the run file's transformer, `here`, is not the one whose weights `what` holds,
/// `there`: every differing key of the model group with both values. Weights alone do not tell the number of
/// heads, nor epsilon.
void require_same_model(const DitConfig& here, const DitConfig& there, const std::string& what);

}  // namespace wan
