#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "comm/mesh.hpp"
#include "config/train_config.hpp"
#include "data/loader.hpp"
#include "device/device.hpp"
#include "model/dit/dit.hpp"
#include "runtime/run_folder.hpp"
#include "train/flow_step.hpp"
#include "train/loss_totals.hpp"
#include "train/lr_schedule.hpp"
#include "train/metrics_log.hpp"
#include "train/run_state.hpp"
#include "train/train_checkpoints.hpp"
#include "train/training_data.hpp"
#include "train/zero_optimizer.hpp"

namespace wan {

/// The training run: model, data, optimizer and the loop over steps. Everything is collective over
/// `runtime`'s world.
class Trainer {
 public:
  /// Allocates, loads the newest good checkpoint or starts fresh. `dump`: folder for the first step's
  /// activations and gradients (train/step_dump.hpp), or empty.
  Trainer(Runtime& runtime, RunFolder& folder, Device& device, const TrainConfig& config, std::string dump);

  /// Runs to the last step, or to a request to stop. Returns done, or requeue if steps are left, unless the
  /// file STOP ended the run.
  [[nodiscard]] ExitCode run();

 private:
  struct StepReport {
    LossTotals losses;
    double norm = 0;
    double lr = 0;
    std::int64_t tokens = 0;  ///< of all ranks
    double flops = 0;         ///< of all ranks
    double seconds = 0;
  };

  /// A step whose work is with the device, and of whose outcome the host knows nothing yet.
  struct QueuedStep {
    std::int64_t step = 0;
    double lr = 0;
    std::int64_t tokens = 0;                  ///< of all ranks
    std::vector<std::int64_t> sample_tokens;  ///< of this rank's samples
    std::size_t micro_batches = 0;
    LoaderState loader;  ///< after it
    double begin = 0;
    Event end;
    std::optional<double> ended;  ///< when it was first seen that `end` is reached
  };

  [[nodiscard]] std::int64_t room_for_activations(const PackBounds& bounds, const DeviceMemory& memory) const;
  [[nodiscard]] RecomputePlan choose_recompute(const PackBounds& bounds) const;
  [[nodiscard]] double peak() const;
  /// Gives the next step's work to the device. The device is kept busy: the host waits for the outcome of the
  /// step before only when the first micro batch of this one is queued behind it.
  void queue_step();
  /// Waits for the step in the queue, if any, and brings state_, average and log up to it.
  void settle();
  void note_end();
  void account_for(const ZeroOptimizer::Outcome& outcome, const StepReport& report);
  void log(const StepReport& report);
  void log_checkpoint(const TrainCheckpoints::Saved& saved);
  void validate_now(Watchdog::Watch& watch);
  [[nodiscard]] bool time_is_up() const;

  Runtime& runtime_;
  RunFolder& folder_;
  Device& device_;
  TrainConfig config_;
  std::string dump_;
  Mesh mesh_;
  TrainingData data_;
  Dit dit_;
  std::unique_ptr<ZeroOptimizer> optimizer_;
  std::unique_ptr<TrainCheckpoints> checkpoints_;
  std::unique_ptr<FlowStep> flow_;
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<MetricsLog> metrics_;
  LrSchedule schedule_;
  RunState state_;  ///< after the last settled step
  std::optional<QueuedStep> queued_;
  double last_end_ = 0;  ///< when the last settled step ended
  double peak_ = 0;      ///< FLOP/s of one rank
  double started_ = 0;
};

}  // namespace wan
