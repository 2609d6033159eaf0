#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/command_line.hpp"
#include "config/train_config_io.hpp"

namespace wan {

enum class InspectSubject { plan, checkpoint, dataset };

/// What wan-inspect is asked to look at.
struct InspectOptions {
  InspectSubject subject = InspectSubject::plan;
  TrainConfigSource source;          ///< plan
  std::int64_t ranks = 1;            ///< plan: ranks that share the optimizer's state
  std::optional<std::string> gpu;    ///< plan: a kind of GPU
  std::optional<double> gpu_memory;  ///< plan: GiB of one GPU
  std::string path;                  ///< checkpoint: a run folder; dataset: its folder
  bool verify = false;               ///< read all of it and compare the hashes
};

/// `wan-inspect plan|checkpoint|dataset …`. Throws UsageError.
[[nodiscard]] Invocation<InspectOptions> parse_inspect_options(const std::vector<std::string>& arguments);

}  // namespace wan
