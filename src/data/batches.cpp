#include "data/batches.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

std::int64_t BatchLayout::micro_steps() const {
  if (global < 1 || micro < 1 || global % (micro * dp_size) != 0) {
    throw ConfigError(
        "train.global_batch_size",
        cat("found ", global, ", allowed: multiples of micro_batch_size × data parallel ranks = ", micro,
            " × ", dp_size));
  }
  return global / (micro * dp_size);
}

Json to_json(const LoaderState& state) {
  Json json;
  json.set("epoch", state.epoch);
  json.set("pack", state.pack);
  json.set("samples", state.samples);
  return json;
}

LoaderState loader_state_from_json(const Json& json, const std::string& source_name) {
  const auto member = [&](const char* key) {
    const Json* value = json.find(key);
    if (value == nullptr || !value->is_integer() || value->as_integer() < 0) {
      throw DataError(source_name, cat("the loader's ", key, " must be an integer >= 0"));
    }
    return value->as_integer();
  };
  return {member("epoch"), member("pack"), member("samples")};
}

BatchSequence::BatchSequence(const SampleSource& source, std::uint64_t seed, const Packing& packing,
                             const BatchLayout& layout, const LoaderState& start)
    : source_(source), seed_(seed), packing_(packing), layout_(layout), state_(start) {
  (void)layout_.micro_steps();
  if (source.size() < 1) throw DataError("data set", "holds no samples to train on");
  open_epoch();
}

void BatchSequence::open_epoch() {
  epoch_ = form_packs(source_, epoch_order(source_, seed_, state_.epoch), packing_);
}

BatchPlan BatchSequence::next() {
  BatchPlan batch;
  batch.micro_steps.resize(static_cast<std::size_t>(layout_.micro_steps()));
  for (std::int64_t place = 0; place < layout_.global; ++place) {
    if (state_.pack >= static_cast<std::int64_t>(epoch_.size())) {
      ++state_.epoch;
      state_.pack = 0;
      open_epoch();
    }
    const PackPlan& plan = epoch_[static_cast<std::size_t>(state_.pack++)];
    batch.samples += static_cast<std::int64_t>(plan.size());
    for (const std::int64_t index : plan) batch.tokens += source_.info(index).latent.tokens();
    const std::int64_t group = place / layout_.micro;
    if (group % layout_.dp_size != layout_.dp_rank) continue;
    batch.micro_steps[static_cast<std::size_t>(group / layout_.dp_size)].push_back({plan, state_.epoch});
  }
  state_.samples += batch.samples;
  batch.after = state_;
  return batch;
}

}  // namespace wan
