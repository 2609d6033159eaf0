#pragma once
#include <string>
#include <vector>

#include "config/prep_options.hpp"
#include "prep/shard_planning.hpp"
#include "runtime/runtime.hpp"

/// What a job begins with, and its dry run as well: nothing here is written.
namespace wan {

/// Rank 0's word, line by line.
void say(const Runtime& runtime, const std::string& text);

[[nodiscard]] PrepJob prep_job(const PrepOptions& options, const ModelParts& model);

/// Rank 0's scan of the video folder, on all ranks. Collective. Throws what scan_videos throws.
[[nodiscard]] std::vector<SourceFile> scan_together(const Communicator& world, const PrepOptions& options);

/// True if the folder's data set is finished. Collective. Throws ConfigError if it was made with other
/// settings, DataError if from other videos.
[[nodiscard]] bool is_finished(const Communicator& world, const PrepJob& job, bool recursive);

/// True if the parts below `folder` have been joined. Collective. Throws NoInputError if it holds none.
[[nodiscard]] bool is_joined(const Communicator& world, const std::string& folder);

}  // namespace wan
