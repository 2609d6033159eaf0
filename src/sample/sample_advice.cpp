#include "sample/sample_advice.hpp"

#include <functional>
#include <vector>

#include "base/text.hpp"

namespace wan {
namespace {

std::string in_words(std::int64_t bytes) {
  return human_bytes(static_cast<double>(bytes));
}

/// A flag that may save memory.
struct Saving {
  std::string flag;
  std::function<void(SampledStages&)> apply;
};

/// Those that change something, from what costs least.
std::vector<Saving> savings_of(const SampledStages& stages) {
  std::vector<Saving> out;
  if (stages.guided && stages.branches != GuidanceBranches::sequential)
    out.push_back({"--guidance_branches sequential",
                   [](SampledStages& s) { s.branches = GuidanceBranches::sequential; }});
  if (!stages.tiling.enabled)
    out.push_back({"--vae_tiling", [](SampledStages& s) { s.tiling.enabled = true; }});
  if (stages.encoder_storage != DType::bf16)
    out.push_back({"--encoder_dtype bf16", [](SampledStages& s) { s.encoder_storage = DType::bf16; }});
  if (stages.storage != DType::bf16)
    out.push_back({"--params_dtype bf16", [](SampledStages& s) { s.storage = DType::bf16; }});
  return out;
}

}  // namespace

std::string sample_advice(const SampledStages& stages, const FrameSize& size, std::int64_t frames,
                          const DeviceMemory& memory) {
  const std::vector<StageMemory> plan = plan_sampling(stages, size, frames);
  std::vector<std::string> parts;
  for (const StageMemory& stage : plan) parts.push_back(cat(stage.stage, " ", in_words(stage.total())));
  const std::string text = cat("the plan of ", frames, " frames ", to_text(size), ": ", join(parts, ", "),
                               " of ", in_words(memory.total), "; ");
  if (peak(plan) <= memory.total) {
    return peak(plan) > memory.free
               ? text + cat("only ", in_words(memory.free), " are free: somebody else uses this GPU")
               : text + "that should fit: the plan is too low, please report it";
  }

  const std::vector<Saving> savings = savings_of(stages);
  const std::uint32_t sets = 1U << savings.size();
  const auto with = [&](std::uint32_t set, std::vector<std::string>* flags) {
    SampledStages out = stages;
    for (std::size_t i = 0; i < savings.size(); ++i) {
      if ((set >> i & 1U) == 0) continue;
      savings[i].apply(out);
      if (flags != nullptr) flags->push_back(savings[i].flag);
    }
    return out;
  };
  std::vector<std::string> fewest;
  std::int64_t needed = 0;
  for (std::uint32_t set = 1; set < sets; ++set) {
    std::vector<std::string> flags;
    const std::int64_t bytes = peak(plan_sampling(with(set, &flags), size, frames));
    if (bytes <= memory.total && (fewest.empty() || flags.size() < fewest.size())) {
      fewest = flags;
      needed = bytes;
    }
  }
  if (!fewest.empty()) return text + cat("what fits: ", join(fewest, " "), ", ", in_words(needed));
  const std::int64_t patch = 2 * stages.vae.spatial_factor();
  const std::int64_t least = peak(plan_sampling(with(sets - 1, nullptr), {patch, patch}, 1));
  if (least > memory.total)
    return text + cat("no video fits, however small: what helps is a GPU with more than ", in_words(least));
  return text + "no flag makes it fit: what helps is a smaller video or a GPU with more memory";
}

}  // namespace wan
