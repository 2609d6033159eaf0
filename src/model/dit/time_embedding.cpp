#include "model/dit/time_embedding.hpp"

namespace wan {

void time_embedding_forward(const Walk& walk, const DitConfig& config, const Tensor& timestep,
                            const ParameterUnit& unit, const EmbedGroups& groups, TimeEmbeddingSaved& saved) {
  const std::int64_t rows = timestep.elements();
  const std::int64_t dim = config.dim();
  saved.sinusoid = walk.tensor(DType::f32, {rows, config.freq_dim});
  saved.hidden_pre = walk.tensor(DType::f32, {rows, dim});
  saved.hidden = walk.tensor(DType::f32, {rows, dim});
  if (!saved.e) saved.e = walk.tensor(DType::f32, {rows, dim});
  saved.activated = walk.tensor(DType::f32, {rows, dim});
  if (!saved.e0) saved.e0 = walk.tensor(DType::f32, {rows, 6 * dim});

  walk.ops().timestep_embedding({timestep, saved.sinusoid});
  Linear(unit, groups.time_1).forward(walk, saved.sinusoid, saved.hidden, Activation::silu, saved.hidden_pre);
  Linear(unit, groups.time_2).forward(walk, saved.hidden, saved.e);
  walk.ops().activation_forward({Activation::silu, saved.e, saved.activated});
  Linear(unit, groups.time_proj).forward(walk, saved.activated, saved.e0);
  walk.dump(unit.name(), "time", saved.e);
  walk.dump(unit.name(), "time_proj", saved.e0);
}

void time_embedding_backward(const DitContext& context, const ParameterUnit& unit, const EmbedGroups& groups,
                             const TimeEmbeddingSaved& saved, const Tensor& de, const Tensor& de0) {
  const Walk& walk = context.walk;
  const Arena::Scope scope(walk.arena());
  const Linear projection(unit, groups.time_proj);
  const Linear first(unit, groups.time_1);
  const Linear second(unit, groups.time_2);

  const Tensor through_projection = walk.tensor(DType::f32, saved.e.shape);
  projection.backward_weight(walk, de0, saved.activated);
  projection.backward_data(walk, de0, through_projection, Activation::silu, saved.e);
  context.ops().axpby({1, through_projection, 1, de});
  walk.dump(unit.name(), "time.grad", de);

  const Tensor dhidden = walk.tensor(DType::f32, saved.hidden.shape);
  second.backward_weight(walk, de, saved.hidden);
  second.backward_data(walk, de, dhidden, Activation::silu, saved.hidden_pre);
  first.backward_weight(walk, dhidden, saved.sinusoid);
}

}  // namespace wan
