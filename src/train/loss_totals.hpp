#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "comm/communicator.hpp"
#include "train/flow_step.hpp"

namespace wan {

/// Sums of losses over samples and ranks: overall and by noise level.
class LossTotals {
 public:
  /// Levels are cut at `edges`, rising, inside (0, 1).
  explicit LossTotals(std::vector<double> edges);

  void add(const std::vector<SampleLoss>& samples);
  /// Adds up over the ranks. Collective.
  void reduce(const Communicator& ranks);

  /// Weighted and plain loss per latent element; 0 before anything was added.
  [[nodiscard]] double weighted() const;
  [[nodiscard]] double raw() const;
  [[nodiscard]] std::int64_t samples() const { return static_cast<std::int64_t>(sums_[count_]); }
  /// How many of them have a finite loss. None: the weights are no good; some: the others' data are not.
  [[nodiscard]] std::int64_t finite_samples() const { return static_cast<std::int64_t>(sums_[finite_]); }

  /// "loss", "loss_unweighted", and the unweighted loss of every level that occurred, "loss_sigma_0.25_0.5".
  void write(Json& line) const;

 private:
  static constexpr std::size_t weighted_ = 0;
  static constexpr std::size_t raw_ = 1;
  static constexpr std::size_t elements_ = 2;
  static constexpr std::size_t count_ = 3;
  static constexpr std::size_t finite_ = 4;
  static constexpr std::size_t first_bin_ = 5;  ///< then raw loss and elements of each level

  std::vector<double> edges_;
  std::vector<double> sums_;
};

}  // namespace wan
