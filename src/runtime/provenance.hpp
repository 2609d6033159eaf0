#pragma once
#include <string>
#include <vector>

#include "base/json.hpp"
#include "runtime/runtime.hpp"

namespace wan {

/// "0.1.0"
[[nodiscard]] std::string suite_version();

/// What a result must be traceable to: suite, compiler, MPI and format versions, command line, time, job id
/// and restart count, hosts with their rank counts, CPU, cores, threads per rank. Collective.
[[nodiscard]] Json provenance_of(const Runtime& runtime, const std::vector<std::string>& command_line);

}  // namespace wan
