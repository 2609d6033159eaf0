#pragma once
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/snapshot.hpp"
#include "model/parameters.hpp"
#include "train/zero_optimizer.hpp"

namespace wan {

/// This rank's parts of every state, in the order in which a checkpoint lists them: path and part of the
/// logical tensor, tensor on the device.
struct StatePart {
  checkpoint::FileKind file;
  std::string path;
  ShardSpec part;
  Tensor values;
};
[[nodiscard]] std::vector<StatePart> state_parts(const ZeroOptimizer& optimizer);

/// Fills weights, masters and averages from `from`. Where it holds a master, that is the weight and what it
/// stores in bf16 is its rounding; an average that it does not hold starts from the weights. Throws DataError
/// if a tensor is missing or of another shape.
void load_weights(Device& device, const checkpoint::Checkpoint& from, const Parameters& parameters,
                  ZeroOptimizer& optimizer);

/// Fills weights, masters and averages from `source`: the masters keep what bf16 weights round off.
void take_weights(Device& device, const Parameters::Source& source, const Parameters& parameters,
                  ZeroOptimizer& optimizer);

/// Fills the average, where `from` holds one.
void load_average(Device& device, const checkpoint::Checkpoint& from, ZeroOptimizer& optimizer);

/// Fills both moments.
void load_moments(Device& device, const checkpoint::Checkpoint& from, ZeroOptimizer& optimizer);

}  // namespace wan
