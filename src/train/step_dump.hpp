#pragma once
#include <memory>
#include <string>

#include "comm/mesh.hpp"
#include "model/dump.hpp"
#include "model/parameters.hpp"
#include "train/zero_optimizer.hpp"

namespace wan {

/// The dump of one training step, the same files on any number of ranks: DIR/microbatch0003 holds the
/// activations and their gradients of the step's fourth micro batch, written by the rank that computes it;
/// DIR/parameters the gradient of every parameter, "<name>.grad", summed over ranks and micro batches and not
/// clipped, written by rank 0.
class StepDump {
 public:
  /// Makes `folder` and removes what an earlier dump left there. Collective. Throws CreateError, IoError.
  StepDump(Device& device, std::string folder, const Mesh& mesh);

  /// For this rank's next micro batch.
  [[nodiscard]] Dump* next_micro_batch();
  /// After the gradients were summed (ZeroOptimizer::measure_gradient). Collective.
  void write_gradients(const Parameters& parameters, ZeroOptimizer& optimizer);

 private:
  Device& device_;
  std::string folder_;
  std::int64_t next_;  ///< place of this rank's next micro batch in the step
  std::int64_t ranks_;
  bool first_rank_;
  std::unique_ptr<Dump> micro_batch_;
};

}  // namespace wan
