#include "model/dit/dit.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "model/dit/rope.hpp"

namespace wan {
namespace {

/// Not null; for planning only.
Tensor nowhere(DType dtype, const Shape& shape) {
  Arena measuring;
  return measuring.allocate(dtype, shape);
}

void require_one(const char* key, const Communicator& ranks) {
  if (ranks.size() != 1) throw ConfigError(key, cat("is ", ranks.size(), "; allowed: 1"));
}

void check_grids(const Pack& pack, std::int64_t positions) {
  for (const PackSample& sample : pack.samples()) {
    const Grid& grid = sample.grid;
    if (std::max({grid.frames, grid.rows, grid.columns}) > positions) {
      throw Error(ExitCode::data, cat("[dit] a grid of ", grid.frames, " x ", grid.rows, " x ", grid.columns,
                                      " tokens; the model's positions go up to ", positions, " per axis"));
    }
  }
}

}  // namespace

Dit::Dit(const DitConfig& config, DType storage, const DitParallel& parallel)
    : config_(config), storage_(storage), parallel_(parallel) {
  require_one("model.tensor_model_parallel_size", parallel_.tp);
  require_one("model.context_parallel_size", parallel_.cp);
  config_.validate("transformer/config.json");
  parameters_ = declare_dit(config_, storage_, {parallel_.tp.rank(), parallel_.tp.size()}, groups_);
}

void Dit::place(Device& device, bool with_gradients) {
  parameters_.place(device, with_gradients);
  const RopeAngles angles = rope_angles(config_.rope_max_seq_len, config_.attention_head_dim);
  const Shape shape = {config_.rope_max_seq_len, config_.attention_head_dim / 2};
  cosine_ = DeviceTensor(device, DType::f32, shape);
  sine_ = DeviceTensor(device, DType::f32, shape);
  Parameters::upload(device, cosine_.view, angles.cosine.data());
  Parameters::upload(device, sine_.view, angles.sine.data());
}

DitContext Dit::context(const Walk& walk, const PackView& view, Keep keep) const {
  if (!walk.planning()) check_grids(*view.pack, config_.rope_max_seq_len);
  RopeTable rope;
  const Shape shape = {config_.rope_max_seq_len, config_.attention_head_dim / 2};
  rope.cosine = cosine_.view ? cosine_.view : nowhere(DType::f32, shape);
  rope.sine = sine_.view ? sine_.view : nowhere(DType::f32, shape);
  rope.position = view.position;
  return {walk, config_, view, rope, storage_, parallel_.tp, keep};
}

void Dit::embed_time_and_patches(const DitContext& context, const Tensor& latents, DitSaved& saved,
                                 const Tensor& x) const {
  saved.time = {};
  embed_time(context.walk, context.view.timestep, saved.time);
  patch_embedding_forward(context, unit(embed_unit), groups_.embed, latents, saved.patch, x);
}

void Dit::embed_time(const Walk& walk, const Tensor& timestep, TimeEmbeddingSaved& saved) const {
  time_embedding_forward(walk, config_, timestep, unit(embed_unit), groups_.embed, saved);
}

std::int64_t Dit::train_bytes(Ops& plan, const PackCapacity& capacity, std::int64_t row_multiple,
                              const RecomputePlan& recompute) const {
  const Pack pack = Pack::largest(capacity, row_multiple);
  Arena elsewhere;
  Arena arena;
  const Walk walk(plan, arena);
  const PackView view = planned_view(pack, elsewhere);
  const Tensor prediction = nowhere(DType::f32, {pack.tokens() * 4 * config_.out_channels});
  DitSaved saved;
  saved.recompute = recompute;
  forward(walk, view, nowhere(DType::f32, {pack.tokens() * 4 * config_.in_channels}),
          nowhere(DType::f32, {pack.text_rows(), config_.text_dim}), saved, prediction);
  backward(walk, view, saved, prediction);
  return arena.peak();
}

std::int64_t Dit::predict_bytes(Ops& plan, const PackCapacity& capacity, std::int64_t row_multiple) const {
  const Pack pack = Pack::largest(capacity, row_multiple);
  Arena elsewhere;
  Arena arena;
  const Walk walk(plan, arena);
  predict(walk, planned_view(pack, elsewhere), nowhere(DType::f32, {pack.tokens() * 4 * config_.in_channels}),
          nowhere(DType::f32, {pack.text_rows(), config_.text_dim}),
          nowhere(DType::f32, {pack.tokens() * 4 * config_.out_channels}));
  return arena.peak();
}

std::int64_t Dit::time_cache_bytes(Ops& plan, std::int64_t steps) const {
  Arena arena;
  TimeEmbeddingSaved saved;
  embed_time(Walk(plan, arena), nowhere(DType::f32, {steps}), saved);
  return arena.peak();
}

}  // namespace wan
