#include "train/loss_totals.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace wan {

LossTotals::LossTotals(std::vector<double> edges)
    : edges_(std::move(edges)), sums_(first_bin_ + 2 * (edges_.size() + 1), 0.0) {}

void LossTotals::add(const std::vector<SampleLoss>& samples) {
  for (const SampleLoss& sample : samples) {
    sums_[weighted_] += sample.weighted;
    sums_[raw_] += sample.raw;
    sums_[elements_] += static_cast<double>(sample.elements);
    sums_[count_] += 1.0;
    if (std::isfinite(sample.weighted) && std::isfinite(sample.raw)) sums_[finite_] += 1.0;
    const auto bin = static_cast<std::size_t>(
        std::upper_bound(edges_.begin(), edges_.end(), static_cast<double>(sample.sigma)) - edges_.begin());
    sums_[first_bin_ + 2 * bin] += sample.raw;
    sums_[first_bin_ + 2 * bin + 1] += static_cast<double>(sample.elements);
  }
}

void LossTotals::reduce(const Communicator& ranks) {
  const Tensor all(sums_.data(), DType::f64, {static_cast<std::int64_t>(sums_.size())});
  ranks.all_reduce(all, Reduce::sum).wait();
}

double LossTotals::weighted() const {
  return sums_[elements_] > 0 ? sums_[weighted_] / sums_[elements_] : 0.0;
}

double LossTotals::raw() const {
  return sums_[elements_] > 0 ? sums_[raw_] / sums_[elements_] : 0.0;
}

void LossTotals::write(Json& line) const {
  line.set("loss", weighted());
  line.set("loss_unweighted", raw());
  for (std::size_t bin = 0; bin <= edges_.size(); ++bin) {
    const double elements = sums_[first_bin_ + 2 * bin + 1];
    if (elements == 0) continue;
    const double low = bin == 0 ? 0.0 : edges_[bin - 1];
    const double high = bin == edges_.size() ? 1.0 : edges_[bin];
    line.set(cat("loss_sigma_", low, "_", high), sums_[first_bin_ + 2 * bin] / elements);
  }
}

}  // namespace wan
