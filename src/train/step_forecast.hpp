#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/packing.hpp"
#include "device/device.hpp"
#include "model/dit/dit.hpp"

namespace wan {

/// What kernels of one kind of GPU reach on large bf16 operands.
struct GpuRates {
  const char* name;
  double memory_bytes;
  double product_flops;             ///< matrix products, FLOP/s
  double attention_forward_flops;   ///< head size 128
  double attention_backward_flops;  ///< five products counted
  double bytes_per_s;               ///< elementwise kernels, bytes read and written
};

/// The kinds whose rates were measured.
[[nodiscard]] const std::vector<GpuRates>& known_gpus();
/// Throws UsageError naming those that are known.
[[nodiscard]] const GpuRates& gpu_named(const std::string& name);

/// Work of one optimizer step with one micro batch as large as `bounds` allow, on one of `ranks`.
struct StepForecast {
  double product_flops = 0;
  double attention_forward_flops = 0;
  double attention_backward_flops = 0;
  double other_bytes = 0;  ///< moved by all other ops, the optimizer included

  [[nodiscard]] double flops() const {
    return product_flops + attention_forward_flops + attention_backward_flops;
  }
  /// Nothing overlaps.
  [[nodiscard]] double seconds(const GpuRates& gpu) const;
};

/// From a walk through forward and backward with the plan ops, recomputation included.
[[nodiscard]] StepForecast forecast_step(const Dit& dit, const PackBounds& bounds, DeviceKind kind,
                                         std::int64_t ranks, const RecomputePlan& recompute);

}  // namespace wan
