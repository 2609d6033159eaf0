#pragma once
#include <memory>

#include "base/json.hpp"
#include "comm/communicator.hpp"
#include "config/train_config.hpp"
#include "data/packing.hpp"
#include "data/source.hpp"

namespace wan {

/// What a run trains on and is validated with.
struct TrainingData {
  std::shared_ptr<const SampleSource> train;
  std::shared_ptr<const SampleSource> validation;  ///< none: no validation
  Packing packing;
  /// Of the data set (train/data_origin.hpp); null for mock data.
  Json origin;
};

/// Opens the data set of the run file, or its mock; with dataset.verify the ranks share the reading of all of
/// it. Collective. Throws NoInputError, DataError; ConfigError when there is nothing to train on.
[[nodiscard]] TrainingData open_training_data(const TrainConfig& config, const Communicator& world);

/// The most that one micro batch of `micro_batch_size` packs can hold, of training or validation samples.
[[nodiscard]] PackBounds micro_batch_bounds(const TrainingData& data, std::int64_t micro_batch_size);

}  // namespace wan
