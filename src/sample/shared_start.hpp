#pragma once
#include <cstdint>
#include <vector>

#include "model/dit/dit.hpp"
#include "sample/step_pack.hpp"

namespace wan {

/// What both branches of guidance have in common at a step: they differ in their texts, which the first
/// block's self-attention does not see yet. Computed for one branch, it serves both, bit for bit.
class SharedStart {
 public:
  /// `samples` are one branch's; `rows` is the most that a pass over both branches or one has.
  SharedStart(Device& device, const Dit& dit, std::vector<PackSample> samples, std::int64_t rows);

  /// Device bytes of `rows` rows, for who plans.
  [[nodiscard]] static std::int64_t bytes(const Dit& dit, std::int64_t rows);

  /// Of `latents`, flat, at `step` of `times`; for passes over `branches` branches, one behind the other.
  /// Allocates nothing and waits for nothing. Takes no more of the arena than a pass does.
  void compute(const Walk& walk, const Tensor& latents, const TimeCache& times, std::int64_t step,
               std::int64_t branches) const;

  /// What was computed, for a pack of `rows` rows.
  [[nodiscard]] DitStart of(std::int64_t rows) const;

 private:
  Device& device_;
  const Dit& dit_;
  StepPack branch_;
  DeviceTensor x_;
  DeviceTensor y_;
};

}  // namespace wan
