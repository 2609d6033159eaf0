#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What lies where in a run folder:
///   iter_0001000/                       a committed checkpoint: model.h5 optim.h5 state.json config.yaml
///   manifest.json iter_0001000.tmp.…                  one that was never finished, or is being removed
///   iter_0001000.aside.1                one that a run went back behind; loading never looks at it
///   latest_checkpointed_iteration.txt   a hint for people and scripts; loading goes by the manifests
namespace wan::checkpoint {

inline constexpr const char* manifest_name = "manifest.json";
inline constexpr const char* state_name = "state.json";
inline constexpr const char* config_name = "config.yaml";
inline constexpr const char* tracker_name = "latest_checkpointed_iteration.txt";

/// "iter_0001000"
[[nodiscard]] std::string iteration_name(std::int64_t step);
/// The step of a committed folder's name; nothing for any other name.
[[nodiscard]] std::optional<std::int64_t> step_of(const std::string& name);

/// Steps of the folders in `run` that are named like a committed checkpoint, newest first. Empty if `run` is
/// missing.
[[nodiscard]] std::vector<std::int64_t> iterations_in(const std::string& run);

/// Renames a folder of `run` to a name that no reader takes for a checkpoint, then removes it. Throws
/// IoError.
void remove_iteration(const std::string& run, std::int64_t step);

/// Renames the iterations of `run` after `step` to names that no reader takes for a checkpoint, so that what
/// is trained from `step` on is the newest again; nothing is lost. Returns their steps, newest first. Throws
/// IoError.
std::vector<std::int64_t> set_later_aside(const std::string& run, std::int64_t step);

/// Removes what killed jobs left behind. Only under the run folder's lock: another job's save looks the same.
void remove_leftovers(const std::string& run);

}  // namespace wan::checkpoint
