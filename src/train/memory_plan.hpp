#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/train_config.hpp"
#include "data/packing.hpp"
#include "device/device.hpp"
#include "model/dit/dit.hpp"

namespace wan {

/// Device bytes of one rank's training run, by kind. What device libraries take for themselves comes on top
/// (library_bytes).
struct MemoryPlan {
  std::int64_t weights = 0;
  std::int64_t gradients = 0;
  std::int64_t moments = 0;
  std::int64_t masters = 0;  ///< fp32 copies of bf16 weights
  std::int64_t average = 0;  ///< of the weights, if asked for
  std::int64_t activations = 0;
  std::int64_t inputs = 0;     ///< one micro batch, its noise, target, prediction and gradient
  std::int64_t libraries = 0;  ///< an allowance
  /// Of the host, pinned: the copy that a checkpoint is written from. Not among the kinds.
  std::int64_t snapshot = 0;

  [[nodiscard]] std::int64_t total() const;
  /// (kind, bytes), in the order above, empty kinds left out.
  [[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> by_kind() const;
};

/// What a context, matrix and attention libraries and the kernels' scratch memory take on a GPU; nothing on
/// the host.
[[nodiscard]] std::int64_t library_bytes(const Dit& dit, const PackBounds& bounds, DeviceKind kind,
                                         bool deterministic);

/// `ranks` share the optimizer's state. `dit` need not be placed.
[[nodiscard]] MemoryPlan plan_memory(const Dit& dit, const TrainConfig& config, const PackBounds& bounds,
                                     DeviceKind kind, std::int64_t ranks, const RecomputePlan& recompute);

/// The plans that an automatic choice goes through, the fastest first: norms, then ever more blocks under
/// keep_attention, then ever more under full.
[[nodiscard]] std::vector<RecomputePlan> recompute_candidates(std::int64_t layers);

/// What model.recompute_* asks for. Automatic: with `room` bytes for activations the first candidate that
/// fits, without it none. Throws ConfigError, saying what each policy takes, if the one asked for, or any,
/// needs more than `room`.
[[nodiscard]] RecomputePlan recompute_plan(const TrainConfig::Model& model, const Dit& dit,
                                           const PackBounds& bounds, DeviceKind kind,
                                           std::optional<std::int64_t> room);

/// "weights 2.6 GiB, gradients 5.3 GiB, …".
[[nodiscard]] std::string to_text(const MemoryPlan& plan);

/// "norms", "12 blocks keep_attention, 18 norms".
[[nodiscard]] std::string to_text(const RecomputePlan& plan, std::int64_t layers);

}  // namespace wan
