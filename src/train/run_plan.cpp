#include "train/run_plan.hpp"

#include <limits>
#include <optional>

#include "base/text.hpp"
#include "data/batches.hpp"
#include "device/open_device.hpp"
#include "model/dit/dit.hpp"
#include "model/dit/run_config.hpp"
#include "model/storage.hpp"
#include "train/data_origin.hpp"
#include "train/flops.hpp"
#include "train/memory_plan.hpp"
#include "train/training_data.hpp"

namespace wan {
namespace {

std::string bytes_text(std::int64_t bytes) {
  return human_bytes(static_cast<double>(bytes));
}

/// Memory for activations where nothing runs yet: a GPU is taken to have enough (wan-inspect plan tells what
/// fits which), for an automatic choice to be what it would be there.
std::optional<std::int64_t> room_on(DeviceKind kind) {
  if (kind == DeviceKind::host) return std::nullopt;
  return std::numeric_limits<std::int64_t>::max();
}

std::int64_t optimizer_bytes(const MemoryPlan& memory) {
  return memory.moments + memory.masters + memory.average;
}

std::string data_line(const TrainingData& data) {
  const std::int64_t validated = data.validation == nullptr ? 0 : data.validation->size();
  return cat("data: ", data.train->size(), " clips to train on, ", validated, " to validate with");
}

std::string first_step_line(const TrainConfig& config, const TrainingData& data, const DitConfig& model) {
  const BatchLayout whole = {config.train.global_batch_size, config.train.micro_batch_size, 0, 1};
  BatchSequence sequence(*data.train, static_cast<std::uint64_t>(config.rng.seed), data.packing, whole, {});
  const BatchPlan step = sequence.next();
  std::vector<std::int64_t> tokens;
  for (const std::vector<VisitedPack>& packs : step.micro_steps) {
    for (const VisitedPack& pack : packs) {
      for (const std::int64_t index : pack.plan) tokens.push_back(data.train->info(index).latent.tokens());
    }
  }
  return cat("first step: ", config.train.global_batch_size, " packs, ", step.samples, " clips, ",
             step.tokens, " tokens, ", training_flops(model, tokens) * 1e-12, " model TFLOP; ",
             config.train.train_iters, " steps in all");
}

}  // namespace

std::vector<std::string> describe_run(const TrainConfig& config, const Communicator& world) {
  const TrainingData data = open_training_data(config, world);
  if (config.dataset.path) require_vae_unchanged(world, *config.dataset.path, data.origin);
  const Dit dit(dit_config(config.model), storage_dtype(config.model.params_dtype));
  const PackBounds bounds = micro_batch_bounds(data, config.train.micro_batch_size);
  const DeviceKind kind = default_device_kind();
  const RecomputePlan recompute = recompute_plan(config.model, dit, bounds, kind, room_on(kind));
  const MemoryPlan memory = plan_memory(dit, config, bounds, kind, world.size(), recompute);
  const MemoryPlan alone = plan_memory(dit, config, bounds, kind, 1, recompute);
  return {
      data_line(data),
      cat("model: ", dit.parameters().elements(), " parameters stored in ", name_of(dit.storage())),
      cat("memory of each of ", world.size(), " ranks: ", bytes_text(memory.total()), " (", to_text(memory),
          ") for up to ", bounds.tokens, " tokens, recomputing ", to_text(recompute, dit.config().num_layers),
          "; for checkpoints ", bytes_text(memory.snapshot), " of the host's"),
      first_step_line(config, data, dit.config()),
      cat("checkpoint: ", bytes_text(alone.weights + optimizer_bytes(alone)), " every ",
          config.checkpoint.save_interval, " steps in ", config.checkpoint.save)};
}

}  // namespace wan
