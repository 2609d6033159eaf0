#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "device/device.hpp"
#include "device/pinned_buffer.hpp"
#include "model/parameters.hpp"

namespace wan {

struct AdamWSettings {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-5;
  double weight_decay = 0.1;
  double clip_norm = 1.0;  ///< of the whole gradient; 0 never clips
};

enum class OptimizerState { weights, master, exp_avg, exp_avg_sq, average };

/// A named state of the optimizer on this rank: elements [first, first + count) of one parameter, row-major,
/// dense fp32 (weights: storage dtype) on the device.
struct OptimizerPiece {
  const ParameterSpec* spec = nullptr;
  std::int64_t first = 0;
  Tensor values;
};

/// AdamW whose state is sharded over the data-parallel ranks (ZeRO stage 1, Rajbhandari et al. 2020): of
/// every unit's trainable elements, those of each dtype apart, every rank owns a part, for which it holds the
/// fp32 master weights, both moments and, if asked for, the moving average of the weights. Gradients are
/// summed by reduce-scatter, updated weights spread by all-gather. With fp32 storage the weights are their
/// own master.
class ZeroOptimizer {
 public:
  /// Takes the current weights as master and as average, moments zero. All references must outlive the
  /// optimizer.
  ZeroOptimizer(Device& device, const Parameters& parameters, const Communicator& dp,
                const AdamWSettings& settings, bool averaged);

  /// Starts summing a unit's gradients over the ranks; called once per unit and step, on all ranks in the
  /// same order.
  void reduce(std::size_t unit);

  /// The next update is skipped unless these losses [n] fp32 are finite, on all ranks. For each micro batch.
  void watch(const Tensor& losses);
  /// Measures the norm of the whole summed gradient. Waits for the reductions, not for the device.
  void measure_gradient();
  /// Brings the whole summed gradient, not clipped, to every rank; after measure_gradient. Only to be looked
  /// at.
  void gather_gradients();
  /// One update number `step` (from 1) at rate `lr`, with the gradient clipped by the norm just measured, of
  /// the weights this rank owns; starts spreading each unit's while the next one is updated. Does not wait
  /// for the device, which changes nothing if the gradient or a watched loss is not finite.
  void update(double lr, std::int64_t step);
  /// Ops called from now on see all ranks' new weights of `unit`, or of all units. Before anything reads
  /// weights of which this rank owns only a part. Waits for no device; costs nothing where nothing is spread.
  void await_weights(std::size_t unit);
  void await_weights();

  /// What was measured last.
  struct Outcome {
    double norm = 0;
    bool updated = false;  ///< false: not finite, and an update is, or would be, skipped
  };
  /// Waits until the device has measured, and no longer.
  [[nodiscard]] Outcome outcome() const;
  /// average = decay average + (1 - decay) weights.
  void move_average(double decay);

  /// Copies the weights on the device into the masters and the averages; after weights were loaded.
  void adopt_weights();
  /// Writes this rank's masters back into the weights and starts to spread them; after masters were loaded.
  void publish_masters();

  /// This rank's parts of one kind of state, to be saved or loaded in place. Masters are only listed where
  /// they differ from the weights; without an average its list is empty.
  [[nodiscard]] std::vector<OptimizerPiece> pieces(OptimizerState state) const;

 private:
  /// The trainable elements of one dtype in a unit, and those among them that this rank owns.
  struct Run {
    Tensor weights;  ///< all of them
    Tensor gradients;
    std::vector<std::int64_t> counts;  ///< that each rank owns
    std::int64_t begin = 0;            ///< owned elements, counted in the unit
    std::int64_t end = 0;
    std::int64_t first = 0;   ///< the first owned one, counted in `weights`
    std::int64_t at = 0;      ///< and in the shard's states
    bool own_master = false;  ///< master differs from the weights
    Pending reduction;
    Pending gathering;
  };
  struct Shard {
    DeviceTensor exp_avg;
    DeviceTensor exp_avg_sq;
    DeviceTensor master;
    DeviceTensor average;
    std::vector<Run> runs;
  };

  [[nodiscard]] Shard make_shard(const ParameterUnit& unit) const;
  /// The elements of `run` that this rank owns, of one kind of state; no tensor if there is no such state.
  [[nodiscard]] static Tensor own(const Shard& shard, const Run& run, OptimizerState state);
  [[nodiscard]] static Tensor own_gradients(const Run& run);
  void update(const ParameterUnit& unit, const Shard& shard, const Run& run, double lr,
              std::int64_t step) const;
  void start_gather(const Shard& shard, Run& run) const;

  Device& device_;
  const Parameters& parameters_;
  Communicator dp_;
  AdamWSettings settings_;
  bool averaged_;
  std::vector<Shard> shards_;
  DeviceTensor sum_squares_;  ///< [2] fp64: of the gradient, and of the losses watched since the last measure
  DeviceTensor clip_;         ///< [2] fp32: the clipping factor and the norm
  PinnedBuffer measured_;
  Event measured_at_;
};

}  // namespace wan
