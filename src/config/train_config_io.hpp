#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/complaints.hpp"
#include "config/train_config.hpp"

namespace wan {

/// Where a configuration comes from: preset of the mode < run file < overrides.
struct TrainConfigSource {
  TrainingMode mode = TrainingMode::finetune;
  std::string file;  ///< "" for none
  std::vector<std::string> overrides;
  bool mock = false;  ///< sets dataset.mock last of all
};

struct LoadedTrainConfig {
  TrainConfig config;
  std::vector<std::string> notices;  ///< one line per key that was accepted without effect
};

/// Reads and checks the whole configuration for `ranks` MPI ranks before anything else is touched.
/// Throws ConfigError with every complaint at once, NoInputError if the file is missing, UsageError for a
/// malformed override.
[[nodiscard]] LoadedTrainConfig load_train_config(const TrainConfigSource& source, std::int64_t ranks);

/// Reads a resolved configuration that a run left behind (`config.yaml`); rules that need the number of ranks
/// or the data set are not checked.
[[nodiscard]] TrainConfig read_train_config(const std::string& path);

/// The rules between keys: batch divisible over ranks, warm-up before decay, head sizes, noise range, ….
void check_train_config(const TrainConfig& config, std::int64_t ranks, Complaints& complaints);

/// The resolved configuration as a commented YAML file; reading it back gives the same configuration.
[[nodiscard]] std::string dump_yaml(const TrainConfig& config);

/// A key with the values that two configurations have for it, as YAML.
struct KeyDifference {
  std::string key;
  std::string before;
  std::string now;
};
/// In the order of the file.
[[nodiscard]] std::vector<KeyDifference> differences(const TrainConfig& before, const TrainConfig& now);

/// One key's value as YAML, text without quotes, or with "all" the whole of dump_yaml. Throws ConfigError.
[[nodiscard]] std::string config_text(const TrainConfig& config, const std::string& key);

/// Every key of the run file, for --help.
[[nodiscard]] std::string train_config_help();

}  // namespace wan
