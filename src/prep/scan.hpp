#pragma once
#include <string>
#include <vector>

#include "data/shard.hpp"

namespace wan {

/// The videos of a folder (.mp4, .mkv, .webm, .mov in any case; with `recursive` those of folders below it
/// too, links to folders not followed; links that lead nowhere count as empty files), ordered by name; names
/// are paths below it with '/'. Throws NoInputError if there is no such folder, DataError if it holds no
/// video, IoError.
[[nodiscard]] std::vector<SourceFile> scan_videos(const std::string& folder, bool recursive);

}  // namespace wan
