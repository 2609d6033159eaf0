#pragma once
#include <string>
#include <vector>

#include "base/json.hpp"

// A training run of a second or two, started as users start it.
namespace wan::test {

/// The command line of wan-train on mock data with a model of 160,000 parameters, text dropout, clipping and
/// averaging on; `more` are further overrides, which win.
[[nodiscard]] std::vector<std::string> small_training(const std::string& run_folder,
                                                      const std::vector<std::string>& more = {});

/// The lines of one kind in a run's metrics.jsonl.
[[nodiscard]] std::vector<Json> metrics_of(const std::string& run_folder, const std::string& kind = "train");

/// All weights of a checkpoint, or another state below `folder`, tensor after tensor by name, as fp32.
[[nodiscard]] std::vector<float> weights_of(const std::string& run_folder, std::int64_t step,
                                            const std::string& folder = "/transformer/");

/// |a - b| / |b| in the Euclidean norm; infinity where sizes differ.
[[nodiscard]] double relative_distance(const std::vector<float>& a, const std::vector<float>& b);

/// True if all files of two checkpoints are equal, byte for byte, but for what names the run folder.
[[nodiscard]] bool same_checkpoint(const std::string& run_a, const std::string& run_b, std::int64_t step);

}  // namespace wan::test
