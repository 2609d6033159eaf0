#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "data/row_table.hpp"
#include "media/fit.hpp"
#include "media/probe.hpp"
#include "media/timeline.hpp"
#include "model/text/tokenizer.hpp"
#include "model/vae/vae_config.hpp"
#include "prep/clips.hpp"

namespace wan {

/// Everything that decides what a video becomes.
struct PrepRules {
  ClipRule clips;
  TargetRate rate;  ///< without a value each file's own frames are taken
  FitMode fit = FitMode::none;
  ResizeKind resize = ResizeKind::bilinear;
  std::int64_t height = 0;  ///< the target; not read by FitMode::none
  std::int64_t width = 0;
  SplitWeights split{8, 1, 1};
};

/// How frames of this size are brought to the size that is encoded: the rule's fit, then the middle cut down
/// to multiples of 16 (8 of the VAE times 2 of the patches). Throws Reject too_small (nothing is left) or
/// too_large.
[[nodiscard]] Fit fit_frames(const PrepRules& rules, std::int64_t width, std::int64_t height);

/// What the planning pass finds out about a video.
struct SourcePlan {
  std::int64_t frames = 0;  ///< at `fps`
  double fps = 0;
  std::int64_t height = 0;  ///< as encoded
  std::int64_t width = 0;
  std::string caption;
  std::int64_t text_rows = 0;
};

/// Counts the packets of `folder`/`source`, reads and tokenises its caption. Throws Reject, also for a video
/// that is too short for any clip.
[[nodiscard]] SourcePlan plan_source(const PrepRules& rules, const Tokenizer& tokenizer,
                                     const std::string& folder, const std::string& source);
/// The video's facts as probe_video gives them, for both passes. Throws Reject.
[[nodiscard]] VideoInfo probe_source(const std::string& path);

/// The rows of a planned video, without slabs and hashes.
[[nodiscard]] std::vector<Row> rows_of(const PrepRules& rules, const VaeConfig& vae,
                                       const std::string& source, const SourcePlan& plan);

[[nodiscard]] Json to_json(const SourcePlan& plan);
[[nodiscard]] SourcePlan source_plan_from_json(const Json& json);

}  // namespace wan
