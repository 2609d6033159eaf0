#include "train/training_data.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "data/dataset.hpp"
#include "data/mock.hpp"
#include "data/verify.hpp"
#include "train/data_origin.hpp"

namespace wan {
namespace {

Packing packing_of(const TrainConfig::Dataset& dataset) {
  return {dataset.seq_length, dataset.packing_buffer_size.value_or(0)};
}

TrainingData mock_data(const TrainConfig& config) {
  const TrainConfig::Dataset& mock = config.dataset;
  const LatentShape latent{config.model.in_channels, mock.F_latents, mock.H_latents, mock.W_latents};
  const auto seed = static_cast<std::uint64_t>(config.rng.seed);
  TrainingData data;
  data.train = std::make_shared<MockDataset>(seed, mock.mock_samples, latent, mock.context_seq_len,
                                             config.model.text_dim);
  data.packing = {mock.number_packed_samples * latent.tokens(), mock.number_packed_samples};
  return data;
}

PackBounds larger(const PackBounds& a, const PackBounds& b) {
  return {std::max(a.tokens, b.tokens), std::max(a.text_rows, b.text_rows), std::max(a.samples, b.samples),
          std::max(a.longest, b.longest)};
}

PackBounds times(const PackBounds& bounds, std::int64_t count) {
  return {bounds.tokens * count, bounds.text_rows * count, bounds.samples * count, bounds.longest};
}

void verify(const Communicator& world, const std::shared_ptr<const Dataset>& dataset) {
  do_together(world, [&] {
    const std::vector<Damage> damages = damaged_files(dataset, world.rank(), world.size());
    for (const Damage& damage : damages) log::error(damage.file + ": " + damage.what);
    if (!damages.empty()) throw DataError(damages.front().file, damages.front().what);
  });
  if (world.rank() == 0)
    log::info(cat(dataset->folder(), ": all ", dataset->info().shards.size(), " shards have their hashes"));
}

}  // namespace

TrainingData open_training_data(const TrainConfig& config, const Communicator& world) {
  if (config.dataset.mock) return mock_data(config);
  const std::shared_ptr<const Dataset> dataset = Dataset::open(*config.dataset.path);
  if (config.dataset.verify) verify(world, dataset);
  TrainingData data;
  auto train = std::make_shared<DatasetSplit>(dataset, Split::train);
  if (train->size() == 0) {
    throw DataError(*config.dataset.path, "its train split holds no clip; prepare it with another --split");
  }
  const std::int64_t channels = train->info(0).latent.channels;
  if (channels != config.model.in_channels) {
    throw DataError(*config.dataset.path, cat("its latents have ", channels,
                                              " channels, model.in_channels is ", config.model.in_channels));
  }
  if (train->text_width() != config.model.text_dim) {
    throw DataError(*config.dataset.path, cat("its text embeddings are ", train->text_width(),
                                              " wide, model.text_dim is ", config.model.text_dim));
  }
  data.train = train;
  auto validation = std::make_shared<DatasetSplit>(dataset, Split::validation);
  if (validation->size() > 0) data.validation = validation;
  data.packing = packing_of(config.dataset);
  data.origin = origin_of(dataset->info().settings);
  return data;
}

PackBounds micro_batch_bounds(const TrainingData& data, std::int64_t micro_batch_size) {
  PackBounds bounds = times(pack_bounds(*data.train, data.packing), micro_batch_size);
  if (data.validation != nullptr) {
    bounds = larger(bounds, times(pack_bounds(*data.validation, {0, 0}), micro_batch_size));
  }
  return bounds;
}

}  // namespace wan
