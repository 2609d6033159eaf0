#include "train/step_forecast.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/plan/plan_ops.hpp"
#include "train/flow_step.hpp"

namespace wan {

const std::vector<GpuRates>& known_gpus() {
  static const std::vector<GpuRates> gpus = {
      {"h100", 80e9, 640e12, 595e12, 545e12, 2.6e12},
      {"h200", 141e9, 640e12, 595e12, 573e12, 3.4e12},
  };
  return gpus;
}

const GpuRates& gpu_named(const std::string& name) {
  std::vector<std::string> names;
  for (const GpuRates& gpu : known_gpus()) {
    if (name == gpu.name) return gpu;
    names.emplace_back(gpu.name);
  }
  throw UsageError(cat("--gpu: found ", name, ", allowed: ", join(names, ", ")));
}

double StepForecast::seconds(const GpuRates& gpu) const {
  return product_flops / gpu.product_flops + attention_forward_flops / gpu.attention_forward_flops +
         attention_backward_flops / gpu.attention_backward_flops + other_bytes / gpu.bytes_per_s;
}

StepForecast forecast_step(const Dit& dit, const PackBounds& bounds, DeviceKind kind, std::int64_t ranks,
                           const RecomputePlan& recompute) {
  PlanOps plan;
  (void)activation_bytes(dit, bounds, kind, recompute, plan);
  StepForecast forecast;
  for (const auto& [op, cost] : plan.by_op()) {
    const auto flops = static_cast<double>(cost.flops);
    if (op.rfind("linear_", 0) == 0) {
      forecast.product_flops += flops;
    } else if (op == "attention_forward") {
      forecast.attention_forward_flops += flops;
    } else if (op == "attention_backward") {
      forecast.attention_backward_flops += flops;
    } else {
      forecast.other_bytes += static_cast<double>(cost.bytes);
    }
  }
  for (const ParameterUnit& unit : dit.parameters().units()) {
    // Gradients are set to zero and measured; AdamW reads them, reads and writes moments and master, and
    // writes the weights.
    const auto trainable = static_cast<double>(unit.trainable_elements());
    forecast.other_bytes += 4 * trainable + (4 + 4 + 24 + 2) * trainable / static_cast<double>(ranks);
  }
  return forecast;
}

}  // namespace wan
