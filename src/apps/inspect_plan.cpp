#include "apps/inspect_plan.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/text.hpp"
#include "model/dit/run_config.hpp"
#include "model/storage.hpp"
#include "train/memory_plan.hpp"
#include "train/step_forecast.hpp"
#include "train/training_data.hpp"

namespace wan {
namespace {

constexpr double gib = 1024.0 * 1024.0 * 1024.0;
/// Plans may be off by this part of a GPU's memory.
constexpr double margin = 0.03;

template <class... Numbers>
std::string formatted(const char* format, Numbers... numbers) {
  char text[256];
  std::snprintf(text, sizeof text, format, numbers...);
  return text;
}

TrainConfig config_on_gpu(const InspectOptions& options) {
  TrainConfig config = load_train_config(options.source, options.ranks).config;
  config.model.params_dtype = storage_on(DeviceKind::cuda, config.model.params_dtype);
  return config;
}

/// A run as the plan sees it: a GPU for each rank, one micro batch of the largest size.
class Planner {
 public:
  explicit Planner(const InspectOptions& options)
      : config_(config_on_gpu(options)),
        data_(open_training_data(config_, Communicator())),
        dit_(dit_config(config_.model), storage_dtype(config_.model.params_dtype)),
        bounds_(micro_batch_bounds(data_, config_.train.micro_batch_size)),
        ranks_(options.ranks) {
    if (options.gpu) gpu_ = gpu_named(*options.gpu);
    if (gpu_) room_ = gpu_->memory_bytes;
    if (options.gpu_memory) room_ = *options.gpu_memory * gib;
  }

  [[nodiscard]] std::string text() const {
    std::string out = cat("model: ", dit_.parameters().elements(), " parameters stored in ",
                          name_of(dit_.storage()), "\nmicro batch: up to ", bounds_.tokens, " tokens, ",
                          bounds_.text_rows, " text rows, ", bounds_.samples, " clips\n\n");
    out += formatted("%-16s %12s %12s %12s%s\n", "recompute", "activations", "in all", "TFLOP a step",
                     gpu_ ? "      ms a step" : "");
    for (const Recompute policy :
         {Recompute::none, Recompute::norms, Recompute::keep_attention, Recompute::full}) {
      out += row(policy);
    }
    return out + advice();
  }

 private:
  [[nodiscard]] MemoryPlan memory(const RecomputePlan& plan) const {
    return plan_memory(dit_, config_, bounds_, DeviceKind::cuda, ranks_, plan);
  }
  [[nodiscard]] bool fits(const RecomputePlan& plan) const {
    return static_cast<double>(memory(plan).total()) <= (1 - margin) * *room_;
  }

  [[nodiscard]] std::string row(const RecomputePlan& plan) const {
    const MemoryPlan taken = memory(plan);
    const StepForecast work = forecast_step(dit_, bounds_, DeviceKind::cuda, ranks_, plan);
    std::string out =
        formatted("%-16s %8.2f GiB %8.2f GiB %12.1f", to_text(plan, dit_.config().num_layers).c_str(),
                  static_cast<double>(taken.activations) / gib, static_cast<double>(taken.total()) / gib,
                  work.flops() * 1e-12);
    if (gpu_) out += formatted("%15.0f", work.seconds(*gpu_) * 1e3);
    return out + "\n";
  }

  /// The policy of least time that fits, or the run file's where nothing is said of a GPU; and its memory.
  [[nodiscard]] std::string advice() const {
    RecomputePlan plan = recompute_plan(config_.model, dit_, bounds_, DeviceKind::cuda, std::nullopt);
    std::string out = "\nthe run file's policy: ";
    if (room_) {
      std::vector<RecomputePlan> candidates = recompute_candidates(config_.model.num_layers);
      candidates.insert(candidates.begin(), Recompute::none);
      const auto found = std::find_if(candidates.begin(), candidates.end(),
                                      [&](const RecomputePlan& candidate) { return fits(candidate); });
      if (found == candidates.end()) {
        return formatted(
            "\nnothing fits %.1f GiB; less: train.micro_batch_size, dataset.seq_length, or more "
            "ranks\n",
            *room_ / gib);
      }
      plan = *found;
      out = formatted("\nfastest that fits %.1f GiB: ", *room_ / gib);
    }
    out += to_text(plan, config_.model.num_layers) + "\n";
    const MemoryPlan taken = memory(plan);
    for (const auto& [kind, bytes] : taken.by_kind()) {
      out += formatted("  %-12s %8.2f GiB\n", kind.c_str(), static_cast<double>(bytes) / gib);
    }
    out += formatted("  %-12s %8.2f GiB\n", "in all", static_cast<double>(taken.total()) / gib);
    return out + formatted("host memory a rank, pinned, to write checkpoints from: %.2f GiB\n",
                           static_cast<double>(taken.snapshot) / gib);
  }

  TrainConfig config_;
  TrainingData data_;
  Dit dit_;
  PackBounds bounds_;
  std::int64_t ranks_;
  std::optional<GpuRates> gpu_;
  std::optional<double> room_;  ///< bytes
};

}  // namespace

std::string plan_text(const InspectOptions& options) {
  return Planner(options).text();
}

}  // namespace wan
