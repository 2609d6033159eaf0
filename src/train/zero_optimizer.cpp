#include "train/zero_optimizer.hpp"

#include "device/ops.hpp"
#include "train/shard_range.hpp"

namespace wan {
namespace {

/// Elements [begin, end) of a flat tensor.
Tensor flat_range(const Tensor& flat, std::int64_t begin, std::int64_t end) {
  auto* data = static_cast<std::byte*>(flat.data) + begin * bytes_of(flat.dtype);
  return {data, flat.dtype, {end - begin}};
}

}  // namespace

ZeroOptimizer::ZeroOptimizer(Device& device, const Parameters& parameters, const Communicator& dp,
                             const AdamWSettings& settings, bool averaged)
    : device_(device),
      parameters_(parameters),
      dp_(dp),
      settings_(settings),
      averaged_(averaged),
      sum_squares_(device, DType::f64, {2}),
      clip_(device, DType::f32, {2}),
      measured_(device, clip_.view.bytes()) {
  device_.zero(sum_squares_.view.data, sum_squares_.view.bytes());
  for (const ParameterUnit& unit : parameters_.units()) shards_.push_back(make_shard(unit));
  adopt_weights();
}

ZeroOptimizer::Shard ZeroOptimizer::make_shard(const ParameterUnit& unit) const {
  Shard shard;
  std::int64_t owned = 0;
  bool needs_master = false;
  const auto me = static_cast<std::size_t>(dp_.rank());
  for (const auto& [first, weights] : unit.weight_runs()) {
    if (weights.elements() == 0) continue;
    const std::vector<std::int64_t> bounds = shard_bounds(weights.elements(), dp_.size());
    Run run;
    run.weights = weights;
    run.gradients = flat_range(unit.gradients(), first, first + weights.elements());
    for (std::size_t r = 0; r + 1 < bounds.size(); ++r) run.counts.push_back(bounds[r + 1] - bounds[r]);
    run.first = bounds[me];
    run.begin = first + bounds[me];
    run.end = first + bounds[me + 1];
    run.at = owned;
    run.own_master = weights.dtype != DType::f32;
    needs_master = needs_master || run.own_master;
    owned += run.end - run.begin;
    shard.runs.push_back(std::move(run));
  }
  const Shape own{owned};
  shard.exp_avg = DeviceTensor(device_, DType::f32, own);
  shard.exp_avg_sq = DeviceTensor(device_, DType::f32, own);
  device_.zero(shard.exp_avg.view.data, shard.exp_avg.view.bytes());
  device_.zero(shard.exp_avg_sq.view.data, shard.exp_avg_sq.view.bytes());
  if (needs_master) shard.master = DeviceTensor(device_, DType::f32, own);
  if (averaged_) shard.average = DeviceTensor(device_, DType::f32, own);
  return shard;
}

Tensor ZeroOptimizer::own(const Shard& shard, const Run& run, OptimizerState state) {
  const std::int64_t count = run.end - run.begin;
  const auto from_shard = [&](const DeviceTensor& values) {
    return values.view ? flat_range(values.view, run.at, run.at + count) : Tensor();
  };
  switch (state) {
    case OptimizerState::weights:
      break;
    case OptimizerState::master:
      if (run.own_master) return from_shard(shard.master);
      break;
    case OptimizerState::exp_avg:
      return from_shard(shard.exp_avg);
    case OptimizerState::exp_avg_sq:
      return from_shard(shard.exp_avg_sq);
    case OptimizerState::average:
      return from_shard(shard.average);
  }
  return flat_range(run.weights, run.first, run.first + count);
}

Tensor ZeroOptimizer::own_gradients(const Run& run) {
  return flat_range(run.gradients, run.first, run.first + run.end - run.begin);
}

void ZeroOptimizer::adopt_weights() {
  for (const Shard& shard : shards_) {
    for (const Run& run : shard.runs) {
      if (run.begin == run.end) continue;
      const Tensor weights = own(shard, run, OptimizerState::weights);
      if (run.own_master) device_.ops().cast({weights, own(shard, run, OptimizerState::master)});
      if (averaged_) device_.ops().cast({weights, own(shard, run, OptimizerState::average)});
    }
  }
}

void ZeroOptimizer::publish_masters() {
  for (std::size_t u = 0; u < shards_.size(); ++u) {
    await_weights(u);
    for (Run& run : shards_[u].runs) {
      if (run.own_master && run.begin < run.end) {
        device_.ops().cast(
            {own(shards_[u], run, OptimizerState::master), own(shards_[u], run, OptimizerState::weights)});
      }
      start_gather(shards_[u], run);
    }
  }
}

void ZeroOptimizer::start_gather(const Shard& shard, Run& run) const {
  if (dp_.size() == 1) return;
  run.gathering = dp_.all_gather(own(shard, run, OptimizerState::weights), run.weights, run.counts);
}

void ZeroOptimizer::await_weights(std::size_t unit) {
  for (Run& run : shards_[unit].runs) run.gathering.wait();
}

void ZeroOptimizer::await_weights() {
  for (std::size_t unit = 0; unit < shards_.size(); ++unit) await_weights(unit);
}

void ZeroOptimizer::reduce(std::size_t unit) {
  if (dp_.size() == 1) return;
  for (Run& run : shards_[unit].runs) {
    run.reduction = dp_.reduce_scatter(run.gradients, own_gradients(run), run.counts, Reduce::sum);
  }
}

void ZeroOptimizer::watch(const Tensor& losses) {
  device_.ops().sum_squares({losses, flat_range(sum_squares_.view, 1, 2)});
}

void ZeroOptimizer::measure_gradient() {
  const Tensor of_gradient = flat_range(sum_squares_.view, 0, 1);
  for (Shard& shard : shards_) {
    for (Run& run : shard.runs) {
      run.reduction.wait();
      if (run.begin < run.end) device_.ops().sum_squares({own_gradients(run), of_gradient});
    }
  }
  dp_.all_reduce(sum_squares_.view, Reduce::sum).wait();
  device_.ops().clip_factor({sum_squares_.view, static_cast<float>(settings_.clip_norm),
                             flat_range(clip_.view, 0, 1), flat_range(clip_.view, 1, 2)});
  device_.zero(sum_squares_.view.data, sum_squares_.view.bytes());
  device_.copy(measured_.data(), clip_.view.data, clip_.view.bytes());
  measured_at_ = device_.record();
}

ZeroOptimizer::Outcome ZeroOptimizer::outcome() const {
  device_.await(measured_at_);
  const auto* const measured = static_cast<const float*>(measured_.data());
  return {measured[1], measured[0] != 0.0F};
}

void ZeroOptimizer::gather_gradients() {
  if (dp_.size() == 1) return;
  for (const Shard& shard : shards_) {
    for (const Run& run : shard.runs) dp_.all_gather(own_gradients(run), run.gradients, run.counts).wait();
  }
}

void ZeroOptimizer::update(double lr, std::int64_t step) {
  for (std::size_t u = 0; u < shards_.size(); ++u) {
    await_weights(u);
    for (Run& run : shards_[u].runs) {
      if (run.begin < run.end) update(parameters_.unit(u), shards_[u], run, lr, step);
      start_gather(shards_[u], run);
    }
  }
}

void ZeroOptimizer::update(const ParameterUnit& unit, const Shard& shard, const Run& run, double lr,
                           std::int64_t step) const {
  AdamW a;
  a.gradient = own_gradients(run);
  a.gradient_scale = flat_range(clip_.view, 0, 1);
  a.exp_avg = own(shard, run, OptimizerState::exp_avg);
  a.exp_avg_sq = own(shard, run, OptimizerState::exp_avg_sq);
  a.master = own(shard, run, OptimizerState::master);
  a.parameter = own(shard, run, OptimizerState::weights);
  a.decayed = unit.decayed(run.begin, run.end);
  a.lr = static_cast<float>(lr);
  a.beta1 = static_cast<float>(settings_.beta1);
  a.beta2 = static_cast<float>(settings_.beta2);
  a.eps = static_cast<float>(settings_.eps);
  a.weight_decay = static_cast<float>(settings_.weight_decay);
  a.step = step;
  device_.ops().adamw(a);
}

void ZeroOptimizer::move_average(double decay) {
  if (!averaged_) return;
  const auto kept = static_cast<float>(decay);
  for (const Shard& shard : shards_) {
    for (const Run& run : shard.runs) {
      if (run.begin == run.end) continue;
      device_.ops().axpby({1.0F - kept, own(shard, run, OptimizerState::master), kept,
                           own(shard, run, OptimizerState::average)});
    }
  }
}

std::vector<OptimizerPiece> ZeroOptimizer::pieces(OptimizerState state) const {
  std::vector<OptimizerPiece> out;
  for (std::size_t u = 0; u < shards_.size(); ++u) {
    const ParameterUnit& unit = parameters_.unit(u);
    for (const Run& run : shards_[u].runs) {
      if (run.begin == run.end || (state == OptimizerState::master && !run.own_master)) continue;
      const Tensor values = own(shards_[u], run, state);
      if (!values) continue;
      for (const ParameterPiece& piece : unit.pieces(run.begin, run.end)) {
        const std::int64_t at = piece.offset - run.begin;
        out.push_back({&unit.parameters()[static_cast<std::size_t>(piece.parameter)].spec, piece.first,
                       flat_range(values, at, at + piece.count)});
      }
    }
  }
  return out;
}

}  // namespace wan
