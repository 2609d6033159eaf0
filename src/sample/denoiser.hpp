#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "comm/communicator.hpp"
#include "data/source.hpp"
#include "device/device.hpp"
#include "model/dit/dit.hpp"
#include "sample/branch_pass.hpp"
#include "sample/guidance_race.hpp"
#include "sample/solver.hpp"

namespace wan {

/// One video to be made: its initial noise goes in, its clean latent comes out.
struct DenoiseItem {
  Grid grid;
  const TextEmbedding* prompt = nullptr;
  const TextEmbedding* negative = nullptr;
  std::vector<float> latent;  ///< [C, frames, 2 rows, 2 columns], normalised
};

struct DenoiseSettings {
  SolverKind solver = SolverKind::unipc;
  SigmaSource source = SigmaSource::diffusers;
  std::int64_t steps = 50;
  double shift = 5.0;
  double guide_scale = 5.0;  ///< at most 1: the prompt alone, no negative prompt
  GuidanceBranches branches = GuidanceBranches::automatic;
};

/// With more tokens in both branches each alone fills any GPU: together they would only take more memory.
constexpr std::int64_t batched_at_most_tokens = 1 << 16;

/// How a denoising went.
struct DenoiseReport {
  bool whole = true;        ///< false if it was ended before the last step: the items are then as they were
  double milliseconds = 0;  ///< of all steps
  const char* branches = "one";  ///< how the branches went: "batched", "sequential", or there was one here
};

/// Classifier-free guidance (Ho and Salimans 2022), v = v_negative + scale (v_prompt - v_negative), around a
/// Solver. All items of a branch go through the network as one pack, the prompts' branch first; both branches
/// together or one after the other. Text keys and values and the time path of all steps are computed once,
/// and so is, in each step, what both branches have in common; a step allocates nothing and does not wait for
/// the device, but for the two that are timed to choose.
class Denoiser {
 public:
  /// `branches` has one rank, which computes both branches, or two: rank 0 the prompts, rank 1 the negative
  /// prompts, both ending with the same latents. `dit` is placed on `device`; both must outlive the object.
  Denoiser(Device& device, const Dit& dit, const DenoiseSettings& settings, Communicator branches = {});

  /// Called after every step with its number, from 0; says whether to go on, the same on all ranks. A GPU may
  /// still be at the step.
  using Progress = std::function<bool(std::int64_t step)>;
  /// Collective over `branches`. `dump`, if given, sees the activations of the first step's first pass;
  /// of what branches have in common, those of one branch.
  [[nodiscard]] DenoiseReport run(std::vector<DenoiseItem>& items, const Progress& progress,
                                  Dump* dump = nullptr) const;

 private:
  using Passes = std::vector<std::unique_ptr<BranchPass>>;

  /// What a way takes of the device, next to the model.
  struct Needs {
    std::int64_t arena_bytes = 0;
    std::int64_t rows = 0;              ///< of the largest pass
    std::int64_t text_cache_bytes = 0;  ///< of all passes
  };

  /// The branches of this rank, by the pass that computes them.
  [[nodiscard]] std::vector<std::vector<int>> branches_of(int way) const;
  [[nodiscard]] Passes make_passes(const std::vector<DenoiseItem>& items, int way) const;
  [[nodiscard]] Needs needs(const std::vector<DenoiseItem>& items, int way) const;
  /// Starts with what settings, device and memory leave open.
  [[nodiscard]] GuidanceRace begin_race(const std::vector<DenoiseItem>& items) const;

  [[nodiscard]] bool guided() const { return settings_.guide_scale > 1.0; }
  /// This rank computes both branches.
  [[nodiscard]] bool both_here() const { return guided() && branches_.size() == 1; }
  [[nodiscard]] bool computes(int branch) const {
    return (branch == 0 || guided()) && (branches_.size() == 1 || branches_.rank() == branch);
  }

  Device& device_;
  const Dit& dit_;
  DenoiseSettings settings_;
  Communicator branches_;
};

}  // namespace wan
