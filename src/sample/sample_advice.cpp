#include "sample/sample_advice.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"

namespace wan {
namespace {

std::string in_words(std::int64_t bytes) {
  return human_bytes(static_cast<double>(bytes));
}

std::int64_t peak(const std::vector<StageMemory>& plan) {
  std::int64_t most = 0;
  for (const StageMemory& stage : plan) most = std::max(most, stage.total());
  return most;
}

}  // namespace

std::string sample_advice(const SampledStages& stages, const FrameSize& size, std::int64_t frames,
                          std::int64_t bytes) {
  const std::vector<StageMemory> plan = plan_sampling(stages, size, frames);
  std::vector<std::string> parts;
  for (const StageMemory& stage : plan) parts.push_back(cat(stage.stage, " ", in_words(stage.total())));
  const std::string text = cat("the plan of ", frames, " frames ", to_text(size), ": ", join(parts, ", "),
                               " of ", in_words(bytes), "; ");
  if (peak(plan) <= bytes) return text + "that fits: somebody else uses this GPU";
  for (const bool tiled : {false, true}) {
    for (const bool sequential : {false, true}) {
      SampledStages lighter = stages;
      std::vector<std::string> flags;
      if (sequential && stages.guided && stages.branches != GuidanceBranches::sequential) {
        lighter.branches = GuidanceBranches::sequential;
        flags.emplace_back("--guidance_branches sequential");
      }
      if (tiled && !stages.tiling.enabled) {
        lighter.tiling.enabled = true;
        flags.emplace_back("--vae_tiling");
      }
      const std::int64_t needed = peak(plan_sampling(lighter, size, frames));
      if (!flags.empty() && needed <= bytes)
        return text + cat("what fits: ", join(flags, " "), ", ", in_words(needed));
    }
  }
  return text + "no flag makes it fit: what helps is a smaller video or a GPU with more memory";
}

}  // namespace wan
