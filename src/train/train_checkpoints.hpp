#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/json.hpp"
#include "config/train_config.hpp"
#include "device/device.hpp"
#include "model/parameters.hpp"
#include "runtime/runtime.hpp"
#include "train/run_state.hpp"
#include "train/zero_optimizer.hpp"

namespace wan {

/// Saves and restores a training run: which tensors and facts go where; how they reach the disk is the
/// checkpoint room's.
class TrainCheckpoints {
 public:
  /// `origin`: what the data set says of its VAE and text encoder; stands in every checkpoint.
  TrainCheckpoints(Runtime& runtime, std::string run_folder, Device& device, const TrainConfig& config,
                   Json origin);
  ~TrainCheckpoints();

  /// A checkpoint that is safe on disk.
  struct Saved {
    std::int64_t step = 0;
    std::int64_t bytes = 0;  ///< of all ranks
    double stall_s = 0;      ///< while which training stood still, on this rank
    double write_s = 0;
  };
  /// `told` hears of every one.
  void tell(std::function<void(const Saved&)> told);

  /// Fills weights and optimizer from the newest good checkpoint, or from checkpoint.pretrained_checkpoint,
  /// or leaves them as they are; says which in one line. Collective.
  [[nodiscard]] RunState restore(const Parameters& parameters, ZeroOptimizer& optimizer);

  /// Copies what a checkpoint of `state` holds and writes it in the background (or, if so configured, before
  /// returning). A save that fails is reported and training goes on; only numbers that are not finite end it:
  /// this, poll and finish then throw SharedError of ExitCode::numeric. Collective.
  ///
  /// Training stands still while the device copies its whole state to pinned memory, and no longer. That
  /// memory is as large as this rank's share of a checkpoint; it is taken once, on a thread of its own while
  /// the run starts, because pinning takes many times as long as the copy. A smaller one would have to be
  /// emptied to disk while training waits, or the state copied on the device first, which has no room to
  /// spare.
  void save(const RunState& state, const ZeroOptimizer& optimizer);
  /// Takes note of a save that has ended. Collective.
  void poll();
  /// Waits for the save that is under way. Throws IoError if the last save failed. Collective.
  void finish();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace wan
