#include "train/validation.hpp"

#include <algorithm>

#include "data/host_pack.hpp"

namespace wan {

LossTotals validate(FlowStep& step, const SampleSource& source, std::int64_t samples, std::int64_t together,
                    const std::vector<double>& sigma_edges, const Communicator& ranks,
                    const std::function<void()>& alive) {
  LossTotals totals(sigma_edges);
  const std::int64_t count = std::min(samples, source.size());
  for (std::int64_t first = ranks.rank() * together; first < count; first += ranks.size() * together) {
    alive();
    PackPlan plan;
    for (std::int64_t i = first; i < std::min(first + together, count); ++i) plan.push_back(i);
    totals.add(step.evaluate(read_pack(source, plan, 0)));
  }
  totals.reduce(ranks);
  return totals;
}

}  // namespace wan
