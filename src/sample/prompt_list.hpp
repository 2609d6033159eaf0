#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/sample_options.hpp"

namespace wan {

/// One video that was asked for.
struct VideoRequest {
  std::string prompt;
  std::string negative_prompt;
  std::uint64_t seed = 0;
  FrameSize size;
  std::int64_t frames = 0;  ///< 4n + 1
};

/// The videos that the flags ask for, in order: `--prompts`, or `--prompts_file` as one prompt a line (empty
/// lines skipped), as a JSON list, or as one JSON object a line, whose objects hold "prompt" and optionally
/// "negative_prompt", "seed", "size" ("480*832"), "frames". Video i without a seed of its own uses
/// `base_seed` + i, without a size `trained_size` when no flag gives one. Throws UsageError, DataError naming
/// file and entry, NoInputError.
[[nodiscard]] std::vector<VideoRequest> video_requests(const SampleOptions& options, std::uint64_t base_seed,
                                                       const std::optional<FrameSize>& trained_size);

}  // namespace wan
