#include "support/plain_adamw.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/hash.hpp"
#include "support/tensors.hpp"

namespace wan::test {
namespace {

using Group = std::vector<PlainParameter>;

PlainParameter matrix(const char* name, const Shape& shape) {
  PlainParameter out;
  out.name = name;
  out.shape = shape;
  return out;
}

PlainParameter bias(const char* name, std::int64_t size) {
  PlainParameter out = matrix(name, {size});
  out.decays = false;
  return out;
}

PlainParameter fp32(PlainParameter parameter) {
  parameter.keep_fp32 = true;
  return parameter;
}

PlainParameter frozen(PlainParameter parameter) {
  parameter.trainable = false;
  return parameter;
}

/// Unit by unit, group by group.
std::vector<std::vector<Group>> model() {
  return {{{matrix("patch.weight", {7, 3, 1, 2, 2})},
           {bias("patch.bias", 7)},
           {fp32(matrix("table", {1, 2, 24}))}},
          {{matrix("q.weight", {24, 20}), matrix("k.weight", {24, 20}), matrix("v.weight", {23, 20})},
           {fp32(bias("norm", 24))},
           {frozen(matrix("fixed.weight", {10, 10}))},
           {fp32(frozen(bias("fixed.norm", 10)))},
           {bias("o.bias", 33)}},
          {{frozen(matrix("fixed.table", {5, 3}))}},
          {{bias("gain", 1)}}};
}

ParameterSpec spec_of(const PlainParameter& parameter) {
  ParameterSpec spec;
  spec.name = parameter.name;
  spec.shape = parameter.shape;
  spec.initialiser = normal_initialiser(1);
  spec.keep_fp32 = parameter.keep_fp32;
  spec.trainable = parameter.trainable;
  return spec;
}

std::vector<double> summed_gradient(const PlainParameter& parameter, std::int64_t step, int ranks) {
  std::vector<double> sum(static_cast<std::size_t>(parameter.shape.elements()), 0.0);
  for (int rank = 0; rank < ranks; ++rank) {
    const std::vector<float> part = PlainTraining::gradient(parameter, step, rank);
    std::transform(part.begin(), part.end(), sum.begin(), sum.begin(), std::plus<>());
  }
  return sum;
}

}  // namespace

Parameters PlainTraining::declare(DType storage) {
  std::vector<ParameterUnit> units;
  for (const std::vector<Group>& groups : model()) {
    units.emplace_back("unit", storage, TensorShard());
    for (const Group& group : groups) {
      std::vector<ParameterSpec> specs;
      std::transform(group.begin(), group.end(), std::back_inserter(specs), spec_of);
      units.back().add(specs);
    }
  }
  return Parameters(std::move(units));
}

void PlainTraining::start(const std::vector<std::vector<float>>& weights) {
  parameters_.clear();
  for (const std::vector<Group>& groups : model()) {
    for (const Group& group : groups) parameters_.insert(parameters_.end(), group.begin(), group.end());
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    PlainParameter& parameter = parameters_[i];
    parameter.weight.assign(weights.at(i).begin(), weights.at(i).end());
    parameter.average = parameter.weight;
    parameter.exp_avg.assign(parameter.weight.size(), 0.0);
    parameter.exp_avg_sq.assign(parameter.weight.size(), 0.0);
  }
}

std::vector<float> PlainTraining::gradient(const PlainParameter& parameter, std::int64_t step, int rank) {
  const std::uint64_t place = bytes_hash(parameter.name).low + static_cast<std::uint64_t>(64 * step + rank);
  return normals(mix64(place), parameter.shape.elements(), step % 3 == 0 ? 0.003F : 0.3F);
}

double PlainTraining::gradient_norm(std::int64_t step, int ranks) const {
  double squares = 0;
  for (const PlainParameter& parameter : parameters_) {
    if (!parameter.trainable) continue;
    for (const double value : summed_gradient(parameter, step, ranks)) squares += value * value;
  }
  return std::sqrt(squares);
}

void PlainTraining::update(std::int64_t step, int ranks, double lr, double average_decay) {
  const double limit = settings_.clip_norm;
  const double scale = limit > 0 ? std::min(1.0, limit / (gradient_norm(step, ranks) + 1e-6)) : 1.0;
  const double unbias1 = 1 - std::pow(settings_.beta1, static_cast<double>(step));
  const double unbias2 = 1 - std::pow(settings_.beta2, static_cast<double>(step));
  for (PlainParameter& p : parameters_) {
    if (!p.trainable) continue;
    const std::vector<double> gradient = summed_gradient(p, step, ranks);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const double g = scale * gradient[i];
      p.exp_avg[i] = settings_.beta1 * p.exp_avg[i] + (1 - settings_.beta1) * g;
      p.exp_avg_sq[i] = settings_.beta2 * p.exp_avg_sq[i] + (1 - settings_.beta2) * g * g;
      const double adam = p.exp_avg[i] / unbias1 / (std::sqrt(p.exp_avg_sq[i] / unbias2) + settings_.eps);
      p.weight[i] -= lr * (adam + (p.decays ? settings_.weight_decay * p.weight[i] : 0.0));
      p.average[i] = average_decay * p.average[i] + (1 - average_decay) * p.weight[i];
    }
  }
}

const PlainParameter& PlainTraining::find(const std::string& name) const {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [&](const PlainParameter& one) { return one.name == name; });
  if (found == parameters_.end()) throw std::runtime_error("no parameter " + name);
  return *found;
}

}  // namespace wan::test
