#include "train/zero_optimizer.hpp"

#include <algorithm>

#include "device/ops.hpp"
#include "train/shard_range.hpp"

namespace wan {
namespace {

/// Elements [begin, end) of a flat tensor.
Tensor flat_range(const Tensor& flat, std::int64_t begin, std::int64_t end) {
  auto* data = static_cast<std::byte*>(flat.data) + begin * bytes_of(flat.dtype);
  return {data, flat.dtype, {end - begin}};
}

/// Elements of each rank's shard.
std::vector<std::int64_t> counts_of(const std::vector<std::int64_t>& bounds) {
  std::vector<std::int64_t> counts;
  for (std::size_t r = 0; r + 1 < bounds.size(); ++r) counts.push_back(bounds[r + 1] - bounds[r]);
  return counts;
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
  for (const ParameterUnit& unit : parameters_.units()) {
    Shard shard;
    shard.bounds = shard_bounds(unit.trainable_elements(), dp_.size());
    shard.begin = shard.bounds[static_cast<std::size_t>(dp_.rank())];
    shard.end = shard.bounds[static_cast<std::size_t>(dp_.rank()) + 1];
    const Shape own{shard.end - shard.begin};
    shard.exp_avg = DeviceTensor(device, DType::f32, own);
    shard.exp_avg_sq = DeviceTensor(device, DType::f32, own);
    device_.zero(shard.exp_avg.view.data, shard.exp_avg.view.bytes());
    device_.zero(shard.exp_avg_sq.view.data, shard.exp_avg_sq.view.bytes());
    bool needs_master = false;
    for (const auto& [first, weights] : unit.weight_runs()) {
      Run run;
      run.run_begin = first;
      run.weights = weights;
      run.own_master = weights.dtype != DType::f32;
      const std::int64_t last = first + weights.elements();
      run.begin = std::clamp(shard.begin, first, last);
      run.end = std::clamp(shard.end, first, last);
      for (std::size_t r = 0; r + 1 < shard.bounds.size(); ++r) {
        run.counts.push_back(std::clamp(shard.bounds[r + 1], first, last) -
                             std::clamp(shard.bounds[r], first, last));
      }
      needs_master = needs_master || run.own_master;
      shard.runs.push_back(std::move(run));
    }
    if (needs_master) shard.master = DeviceTensor(device, DType::f32, own);
    if (averaged_) shard.average = DeviceTensor(device, DType::f32, own);
    shards_.push_back(std::move(shard));
  }
  adopt_weights();
}

Tensor ZeroOptimizer::own(const Shard& shard, const Run& run, OptimizerState state) {
  const auto from_shard = [&](const DeviceTensor& values) {
    return values.view ? flat_range(values.view, run.begin - shard.begin, run.end - shard.begin) : Tensor();
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
  return flat_range(run.weights, run.begin - run.run_begin, run.end - run.run_begin);
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
  for (const Shard& shard : shards_) {
    for (const Run& run : shard.runs) {
      if (run.own_master && run.begin < run.end) {
        device_.ops().cast(
            {own(shard, run, OptimizerState::master), own(shard, run, OptimizerState::weights)});
      }
      gather(shard, run);
    }
  }
}

void ZeroOptimizer::gather(const Shard& shard, const Run& run) const {
  if (dp_.size() == 1) return;
  dp_.all_gather(own(shard, run, OptimizerState::weights), run.weights, run.counts).wait();
}

void ZeroOptimizer::reduce(std::size_t unit) {
  if (dp_.size() == 1) return;
  Shard& shard = shards_[unit];
  const Tensor gradients = parameters_.unit(unit).gradients();
  shard.reduction = dp_.reduce_scatter(gradients, flat_range(gradients, shard.begin, shard.end),
                                       counts_of(shard.bounds), Reduce::sum);
}

void ZeroOptimizer::watch(const Tensor& losses) {
  device_.ops().sum_squares({losses, flat_range(sum_squares_.view, 1, 2)});
}

void ZeroOptimizer::measure_gradient() {
  const Tensor of_gradient = flat_range(sum_squares_.view, 0, 1);
  for (std::size_t unit = 0; unit < shards_.size(); ++unit) {
    Shard& shard = shards_[unit];
    shard.reduction.wait();
    if (shard.begin == shard.end) continue;
    device_.ops().sum_squares(
        {flat_range(parameters_.unit(unit).gradients(), shard.begin, shard.end), of_gradient});
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
  for (std::size_t unit = 0; unit < shards_.size(); ++unit) {
    const Shard& shard = shards_[unit];
    const Tensor gradients = parameters_.unit(unit).gradients();
    dp_.all_gather(flat_range(gradients, shard.begin, shard.end), gradients, counts_of(shard.bounds)).wait();
  }
}

void ZeroOptimizer::update(double lr, std::int64_t step) {
  for (std::size_t u = 0; u < shards_.size(); ++u) {
    const Shard& shard = shards_[u];
    const ParameterUnit& unit = parameters_.unit(u);
    for (const Run& run : shard.runs) {
      if (run.begin < run.end) {
        AdamW a;
        a.gradient = flat_range(unit.gradients(), run.begin, run.end);
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
      gather(shard, run);
    }
  }
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
