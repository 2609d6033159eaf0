#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "comm/communicator.hpp"
#include "data/source.hpp"
#include "device/device.hpp"
#include "model/dit/dit.hpp"
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
};

/// Classifier-free guidance (Ho and Salimans 2022), v = v_negative + scale (v_prompt - v_negative), around a
/// Solver. All items go through the network as one pack, the prompts' branch first, then the negative one.
class Denoiser {
 public:
  /// `branches` has one rank, which computes both branches, or two: rank 0 the prompts, rank 1 the negative
  /// prompts, both ending with the same latents. `dit` is placed on `device`; both must outlive the object.
  Denoiser(Device& device, const Dit& dit, const DenoiseSettings& settings, Communicator branches = {});

  /// Called after every step with its number, from 0; says whether to go on, the same on all ranks.
  using Progress = std::function<bool(std::int64_t step)>;
  /// Collective over `branches`. `dump`, if given, sees the activations of the first step. False if
  /// `progress` ended it before the last step: the items are then as they were.
  [[nodiscard]] bool run(std::vector<DenoiseItem>& items, const Progress& progress,
                         Dump* dump = nullptr) const;

 private:
  /// The samples of this rank's part of the pack.
  [[nodiscard]] std::vector<PackSample> samples(const std::vector<DenoiseItem>& items) const;
  [[nodiscard]] std::vector<const TextEmbedding*> texts(const std::vector<DenoiseItem>& items) const;
  [[nodiscard]] bool guided() const { return settings_.guide_scale > 1.0; }
  [[nodiscard]] bool computes(int branch) const {
    return (branch == 0 || guided()) && (branches_.size() == 1 || branches_.rank() == branch);
  }

  Device& device_;
  const Dit& dit_;
  DenoiseSettings settings_;
  Communicator branches_;
};

}  // namespace wan
