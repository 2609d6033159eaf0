#include "support/optimizer_properties.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/bf16.hpp"
#include "comm/agree.hpp"
#include "support/plain_adamw.hpp"
#include "support/tensors.hpp"
#include "train/lr_schedule.hpp"

namespace wan::test {
namespace {

// Of a rank's piece of one tensor in the Euclidean norm: a dozen fp32 updates, each rounded to 6e-8 of its
// size; 1 - beta2 in fp32 is 2.4e-7 off.
constexpr double state_tolerance = 2e-6;
// The norm is rounded to fp32 once.
constexpr double norm_tolerance = 1e-6;

constexpr std::int64_t updates = 12;
constexpr double average_decay = 0.8;
const LrSchedule schedule = {3e-2, 1e-3, 0.0, 4, 20, LrDecay::cosine};

AdamWSettings settings_of(const OptimizerCase& one) {
  AdamWSettings settings;
  settings.clip_norm = one.clip_norm;
  return settings;
}

std::vector<std::vector<float>> weights_of(Device& device, const Parameters& parameters) {
  std::vector<std::vector<float>> out;
  for (const ParameterUnit& unit : parameters.units()) {
    for (std::size_t i = 0; i < unit.parameters().size(); ++i) {
      out.push_back(values_of(device, unit.weight(static_cast<int>(i))));
    }
  }
  return out;
}

/// This rank's summand of a step's gradient, on the device.
void upload_gradients(Device& device, const Parameters& parameters, const PlainTraining& plain,
                      std::int64_t step, int rank) {
  parameters.zero_gradients(device);
  for (const PlainParameter& parameter : plain.all()) {
    if (!parameter.trainable) continue;
    const Parameters::Place place = parameters.find(parameter.name);
    const std::vector<float> values = PlainTraining::gradient(parameter, step, rank);
    Parameters::upload(device, place.unit->gradient(place.parameter), values.data());
  }
}

/// As the trainer does it: the last unit's gradients are ready first.
double reduced_norm(const Parameters& parameters, ZeroOptimizer& optimizer) {
  for (std::size_t unit = parameters.units().size(); unit-- > 0;) optimizer.reduce(unit);
  optimizer.measure_gradient();
  return optimizer.outcome().norm;
}

float rounded(float value, DType dtype) {
  return dtype == DType::bf16 ? to_float(to_bf16(value)) : value;
}

const std::vector<double>& plain_state(const PlainParameter& parameter, OptimizerState state) {
  switch (state) {
    case OptimizerState::exp_avg:
      return parameter.exp_avg;
    case OptimizerState::exp_avg_sq:
      return parameter.exp_avg_sq;
    case OptimizerState::average:
      return parameter.average;
    case OptimizerState::weights:
    case OptimizerState::master:
      break;
  }
  return parameter.weight;
}

/// The rank's pieces of `state` hold the plain optimizer's numbers.
void expect_state(Device& device, const ZeroOptimizer& optimizer, const PlainTraining& plain,
                  OptimizerState state) {
  for (const OptimizerPiece& piece : optimizer.pieces(state)) {
    // Rounded weights are compared with their masters instead.
    if (piece.values.dtype == DType::bf16) continue;
    const std::vector<double>& whole = plain_state(plain.find(piece.spec->name), state);
    const auto from = whole.begin() + piece.first;
    const std::vector<float> expected(from, from + piece.values.elements());
    EXPECT_LE(relative_l2(values_of(device, piece.values), expected), state_tolerance)
        << piece.spec->name << " from " << piece.first << ", state " << static_cast<int>(state);
  }
}

/// All ranks' pieces of `state` together hold every element of the parameters that have such a state, once.
void expect_covered(const Communicator& ranks, const ZeroOptimizer& optimizer, const PlainTraining& plain,
                    OptimizerState state, const OptimizerCase& one) {
  std::map<std::string, std::int64_t> mine;
  for (const OptimizerPiece& piece : optimizer.pieces(state))
    mine[piece.spec->name] += piece.values.elements();
  for (const PlainParameter& parameter : plain.all()) {
    const bool has = parameter.trainable && (state != OptimizerState::average || one.averaged) &&
                     (state != OptimizerState::master || parameter.stored_as(one.storage) == DType::bf16);
    EXPECT_EQ(sum_over(ranks, mine[parameter.name]), has ? parameter.shape.elements() : 0)
        << parameter.name << ", state " << static_cast<int>(state);
  }
}

/// Every rank's weights: those of the plain optimizer, or their rounding; frozen ones are untouched.
void expect_weights(Device& device, const Parameters& parameters, const PlainTraining& plain,
                    const OptimizerCase& one) {
  const std::vector<std::vector<float>> weights = weights_of(device, parameters);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const PlainParameter& parameter = plain.all()[i];
    const std::vector<float> expected(parameter.weight.begin(), parameter.weight.end());
    if (!parameter.trainable) {
      EXPECT_EQ(weights[i], expected) << parameter.name;
    } else if (parameter.stored_as(one.storage) == DType::f32) {
      EXPECT_LE(relative_l2(weights[i], expected), state_tolerance) << parameter.name;
    } else {
      // Half a unit of 2^-8, and what the master may be off.
      for (std::size_t e = 0; e < expected.size(); ++e) {
        EXPECT_LE(std::abs(weights[i][e] - expected[e]), std::abs(expected[e]) * 0x1p-8F + 1e-6F)
            << parameter.name << "[" << e << "]";
      }
    }
  }
}

/// The stored weight is its master's rounding to nearest even, to the bit.
void expect_weights_round_masters(Device& device, const Parameters& parameters,
                                  const ZeroOptimizer& optimizer) {
  for (const OptimizerPiece& piece : optimizer.pieces(OptimizerState::master)) {
    const Parameters::Place place = parameters.find(piece.spec->name);
    const std::vector<float> weights = values_of(device, place.unit->weight(place.parameter));
    const std::vector<float> masters = values_of(device, piece.values);
    for (std::size_t e = 0; e < masters.size(); ++e) {
      ASSERT_EQ(weights[static_cast<std::size_t>(piece.first) + e], rounded(masters[e], DType::bf16))
          << piece.spec->name << "[" << e << "]";
    }
  }
}

}  // namespace

void expect_plain_adamw(Device& device, const Communicator& ranks, const OptimizerCase& one) {
  Parameters parameters = PlainTraining::declare(one.storage);
  parameters.place(device, true);
  parameters.initialise(device, 5);
  PlainTraining plain(settings_of(one));
  plain.start(weights_of(device, parameters));
  ZeroOptimizer optimizer(device, parameters, ranks, settings_of(one), one.averaged);
  int clipped = 0;
  for (std::int64_t step = 1; step <= updates; ++step) {
    upload_gradients(device, parameters, plain, step, ranks.rank());
    const double norm = reduced_norm(parameters, optimizer);
    const double expected = plain.gradient_norm(step, ranks.size());
    EXPECT_NEAR(norm, expected, norm_tolerance * expected) << "step " << step;
    if (expected > one.clip_norm && one.clip_norm > 0) ++clipped;
    const double lr = schedule.rate(step - 1);
    optimizer.update(lr, step);
    optimizer.move_average(average_decay);
    plain.update(step, ranks.size(), lr, average_decay);
  }
  optimizer.await_weights();
  EXPECT_EQ(clipped, one.clip_norm > 0 ? 2 * updates / 3 : 0);
  for (const OptimizerState state : {OptimizerState::weights, OptimizerState::master, OptimizerState::exp_avg,
                                     OptimizerState::exp_avg_sq, OptimizerState::average}) {
    expect_state(device, optimizer, plain, state);
    expect_covered(ranks, optimizer, plain, state, one);
  }
  expect_weights(device, parameters, plain, one);
  expect_weights_round_masters(device, parameters, optimizer);
}

void expect_all_see_what_is_not_finite(Device& device, const Communicator& ranks) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (int culprit = 0; culprit < ranks.size(); ++culprit) {
      Parameters parameters = PlainTraining::declare(DType::f32);
      parameters.place(device, true);
      ZeroOptimizer optimizer(device, parameters, ranks, AdamWSettings(), false);
      if (ranks.rank() == culprit) {
        const Parameters::Place place = parameters.find("gain");
        Parameters::upload(device, place.unit->gradient(place.parameter), &bad);
      }
      const std::vector<std::vector<float>> weights = weights_of(device, parameters);
      EXPECT_FALSE(std::isfinite(reduced_norm(parameters, optimizer)));
      EXPECT_FALSE(optimizer.outcome().updated);
      optimizer.update(1, 1);
      optimizer.await_weights();
      EXPECT_EQ(weights_of(device, parameters), weights);

      // A loss alone, too, and for that one step only.
      parameters.zero_gradients(device);
      const Owned losses(device, DType::f32, {2}, {1, ranks.rank() == culprit ? bad : 2});
      optimizer.watch(losses);
      EXPECT_EQ(reduced_norm(parameters, optimizer), 0);
      EXPECT_FALSE(optimizer.outcome().updated);
      EXPECT_EQ(reduced_norm(parameters, optimizer), 0);
      EXPECT_TRUE(optimizer.outcome().updated);
    }
  }
}

void expect_loaded_state_is_taken_over(Device& device, const Communicator& ranks) {
  Parameters parameters = PlainTraining::declare(DType::bf16);
  parameters.place(device, true);
  ZeroOptimizer optimizer(device, parameters, ranks, AdamWSettings(), true);
  parameters.initialise(device, 6);
  optimizer.adopt_weights();
  PlainTraining plain((AdamWSettings()));
  plain.start(weights_of(device, parameters));
  expect_state(device, optimizer, plain, OptimizerState::master);
  expect_state(device, optimizer, plain, OptimizerState::average);

  for (const OptimizerPiece& piece : optimizer.pieces(OptimizerState::master)) {
    std::vector<float> finer = values_of(device, piece.values);
    for (float& value : finer) value *= 1.001F;
    Parameters::upload(device, piece.values, finer.data());
  }
  optimizer.publish_masters();
  optimizer.await_weights();
  const std::vector<std::vector<float>> weights = weights_of(device, parameters);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const PlainParameter& parameter = plain.all()[i];
    const bool has_master = parameter.trainable && !parameter.keep_fp32;
    for (std::size_t e = 0; e < weights[i].size(); ++e) {
      const auto before = static_cast<float>(parameter.weight[e]);
      ASSERT_EQ(weights[i][e], has_master ? rounded(1.001F * before, DType::bf16) : before)
          << parameter.name << "[" << e << "]";
    }
  }
}

}  // namespace wan::test
