#include "train/memory_advice.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.hpp"
#include "model/dit/run_config.hpp"
#include "model/storage.hpp"
#include "train/memory_plan.hpp"
#include "train/training_data.hpp"

namespace wan {
namespace {

std::string in_words(std::int64_t bytes) {
  return human_bytes(static_cast<double>(bytes));
}

}  // namespace

std::string memory_advice(const Dit& dit, const TrainConfig& config, const PackBounds& bounds,
                          std::int64_t ranks, const DeviceMemory& memory) {
  const auto plan = [&](const PackBounds& pack, const RecomputePlan& recompute) {
    return plan_memory(dit, config, pack, DeviceKind::cuda, ranks, recompute);
  };
  const auto fits = [&](const PackBounds& pack, const RecomputePlan& recompute) {
    return plan(pack, recompute).total() <= memory.total - memory.total / 100;
  };
  const std::int64_t layers = config.model.num_layers;
  const std::vector<RecomputePlan> candidates = recompute_candidates(layers);
  const auto fitting = std::find_if(candidates.begin(), candidates.end(),
                                    [&](const RecomputePlan& candidate) { return fits(bounds, candidate); });
  const bool automatic = config.model.recompute_granularity == RecomputeChoice::automatic;
  const RecomputePlan lightest = Recompute::full;
  const RecomputePlan asked = !automatic
                                  ? recompute_plan(config.model, dit, bounds, DeviceKind::cuda, std::nullopt)
                                  : (fitting == candidates.end() ? lightest : *fitting);
  const MemoryPlan needed = plan(bounds, asked);
  std::string text =
      cat("the plan of this run on ", ranks, ranks == 1 ? " rank: " : " ranks: ", to_text(needed),
          ", in all ", in_words(needed.total()), " of ", in_words(memory.total), ", recomputing ",
          to_text(asked, layers), "; ");
  if (fits(bounds, asked)) {
    // What the libraries have taken is not free.
    return text + (needed.total() - needed.libraries > memory.free
                       ? cat("only ", in_words(memory.free), " are free: somebody else uses this GPU")
                       : "that should fit: the plan is too low, please report it");
  }
  if (fitting != candidates.end()) {
    return text + cat("what fits: recomputation of ", to_text(*fitting, layers),
                      " (model.recompute_granularity=auto finds it), ",
                      in_words(plan(bounds, *fitting).total()));
  }
  const auto shorter = [&](std::int64_t tokens) {
    return PackBounds{tokens, bounds.text_rows, bounds.samples, std::min(bounds.longest, tokens)};
  };
  std::int64_t tokens = 0;
  for (std::int64_t low = 1, high = bounds.tokens; low <= high;) {
    const std::int64_t middle = low + (high - low) / 2;
    if (fits(shorter(middle), lightest)) {
      tokens = middle;
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  if (tokens == 0) {
    return text +
           "no micro batch fits, however short: what helps is more ranks, which share the optimizer, or a "
           "GPU with more memory";
  }
  return text + cat("with model.recompute_granularity=full it takes ",
                    in_words(plan(bounds, lightest).total()), ", and up to ", tokens, " of the ",
                    bounds.tokens,
                    " tokens of a micro batch fit: what helps is a smaller dataset.seq_length or "
                    "train.micro_batch_size, or more ranks");
}

std::string memory_advice(const TrainConfig& config, std::int64_t ranks, const DeviceMemory& memory) {
  TrainConfig unverified = config;
  unverified.dataset.verify = false;
  const TrainingData data = open_training_data(unverified, Communicator());
  const Dit dit(dit_config(config.model), storage_dtype(config.model.params_dtype));
  return memory_advice(dit, config, micro_batch_bounds(data, config.train.micro_batch_size), ranks, memory);
}

}  // namespace wan
