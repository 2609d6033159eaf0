#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/parameters.hpp"
#include "train/zero_optimizer.hpp"

// A small model's parameters, and AdamW on them as its paper writes it: whole tensors, fp64, one process.
namespace wan::test {

/// A parameter as the plain optimizer sees it. `decays` is said here and not derived, so that it can be held
/// against the model's rule.
struct PlainParameter {
  std::string name;
  Shape shape;
  bool keep_fp32 = false;
  bool trainable = true;
  bool decays = true;
  std::vector<double> weight;
  std::vector<double> exp_avg;
  std::vector<double> exp_avg_sq;
  std::vector<double> average;

  [[nodiscard]] DType stored_as(DType storage) const { return keep_fp32 ? DType::f32 : storage; }
};

/// Units of many shares of 64 elements, of fewer shares than ranks, of one element, and of none that is
/// trained; some parameters lie joined, some stay fp32, some are frozen.
class PlainTraining {
 public:
  explicit PlainTraining(const AdamWSettings& settings) : settings_(settings) {}

  /// The same parameters for the optimizer under test.
  [[nodiscard]] static Parameters declare(DType storage);

  /// Starts from these weights; the order is all()'s.
  void start(const std::vector<std::vector<float>>& weights);

  /// Rank `rank`'s summand of the gradient of a step: normals, large and small ones in turn, so that a limit
  /// in between clips some.
  [[nodiscard]] static std::vector<float> gradient(const PlainParameter& parameter, std::int64_t step,
                                                   int rank);
  /// Norm of the gradient that `ranks` ranks sum up to; every logical element counts once.
  [[nodiscard]] double gradient_norm(std::int64_t step, int ranks) const;
  /// Loshchilov and Hutter 2019, algorithm 2, on the gradient clipped to the limit; then the average.
  void update(std::int64_t step, int ranks, double lr, double average_decay);

  [[nodiscard]] const std::vector<PlainParameter>& all() const { return parameters_; }
  [[nodiscard]] const PlainParameter& find(const std::string& name) const;

 private:
  AdamWSettings settings_;
  std::vector<PlainParameter> parameters_;
};

}  // namespace wan::test
