#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/choices.hpp"
#include "config/command_line.hpp"
#include "config/frame_size.hpp"
#include "config/vae_tiling.hpp"

namespace wan {

/// What wan-sample is asked to do.
struct SampleOptions {
  std::optional<std::string> task;
  std::vector<FrameSize> sizes;  ///< one per prompt, or one for all; empty: as trained
  std::vector<std::int64_t> frame_nums = {81};
  std::vector<std::string> prompts;
  std::optional<std::string> prompts_file;
  std::string negative_prompt;
  std::int64_t sample_steps = 50;
  double sample_shift = 5.0;
  double sample_guide_scale = 5.0;
  SolverKind sample_solver = SolverKind::unipc;
  SigmaSource sigma_grid = SigmaSource::diffusers;
  std::int64_t base_seed = -1;  ///< prompt i uses base_seed + i; -1: drawn by rank 0
  double fps = 16.0;
  std::optional<std::string> checkpoint_dir;
  std::optional<std::int64_t> checkpoint_step;  ///< null: the newest good one
  std::optional<std::string> model;
  WeightChoice weights = WeightChoice::automatic;
  ModelStorage params_dtype = ModelStorage::automatic;
  ModelStorage encoder_dtype = ModelStorage::automatic;
  VaeTiling vae_tiling;
  GuidanceBranches guidance_branches = GuidanceBranches::automatic;
  std::optional<std::int64_t> random_weights;  ///< seed of weights that stand in for the model's
  std::string output_dir = ".";
  std::optional<std::string> save_file;
  std::optional<std::string> noise;
  std::optional<std::string> save_latents;
  std::optional<std::string> dump;
  std::optional<std::string> timings;
  bool dry_run = false;
  bool reference = false;  ///< every op by its slow reference
  std::optional<std::int64_t> threads;
};

/// The flags of wan-sample. Throws UsageError, also where flags contradict each other.
[[nodiscard]] Invocation<SampleOptions> parse_sample_options(const std::vector<std::string>& arguments);

}  // namespace wan
