#pragma once
#include <optional>
#include <string>
#include <vector>

#include "config/command_line.hpp"
#include "config/train_config_io.hpp"

namespace wan {

/// What wan-train is asked to do; the rest stands in the configuration that `source` leads to.
struct TrainOptions {
  TrainConfigSource source;
  std::optional<std::string> dump;  ///< folder for every activation and gradient of one step
  bool dry_run = false;
  bool reference = false;  ///< every op by its slow reference
};

/// The flags of wan-train; what follows them are overrides. Throws UsageError, and with --print what
/// load_train_config throws.
[[nodiscard]] Invocation<TrainOptions> parse_train_options(const std::vector<std::string>& arguments);

}  // namespace wan
