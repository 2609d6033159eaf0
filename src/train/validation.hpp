#pragma once
#include <cstdint>
#include <functional>

#include "comm/communicator.hpp"
#include "data/source.hpp"
#include "train/flow_step.hpp"
#include "train/loss_totals.hpp"

namespace wan {

/// Losses of the first `samples` samples of `source` at each one's fixed noise and level, `together` of them
/// in one forward, shared out over `ranks`. The result is the same at every call with the same weights and on
/// any number of ranks (up to rounding). `alive` is called before every forward. Collective.
[[nodiscard]] LossTotals validate(FlowStep& step, const SampleSource& source, std::int64_t samples,
                                  std::int64_t together, const std::vector<double>& sigma_edges,
                                  const Communicator& ranks, const std::function<void()>& alive);

}  // namespace wan
