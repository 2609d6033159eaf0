#pragma once
#include "device/device.hpp"

namespace wan {

/// The time path of every step of a denoising run: it depends on neither latents nor prompts.
class TimeCache {
 public:
  /// Room for `steps` steps of a model of width `dim`.
  TimeCache(Device& device, std::int64_t steps, std::int64_t dim);

  /// For the head, all steps [S, C] or one [1, C], and for the blocks, [S, 6 C] or [1, 6 C]; fp32
  /// (time_embedding.hpp).
  [[nodiscard]] Tensor e() const { return e_.view; }
  [[nodiscard]] Tensor e0() const { return e0_.view; }
  [[nodiscard]] Tensor e(std::int64_t step) const { return e_.view.row_range(step, step + 1); }
  [[nodiscard]] Tensor e0(std::int64_t step) const { return e0_.view.row_range(step, step + 1); }

 private:
  DeviceTensor e_;
  DeviceTensor e0_;
};

}  // namespace wan
