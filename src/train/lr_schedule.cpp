#include "train/lr_schedule.hpp"

#include <cmath>

namespace wan {

double LrSchedule::rate(std::int64_t completed) const {
  if (warmup > 0 && completed <= warmup) {
    return warmup_init + (max - warmup_init) * static_cast<double>(completed) / static_cast<double>(warmup);
  }
  if (style == LrDecay::constant) return max;
  if (completed > decay) return min;
  const double done = static_cast<double>(completed - warmup) / static_cast<double>(decay - warmup);
  const double left = style == LrDecay::linear ? 1.0 - done : 0.5 * (std::cos(M_PI * done) + 1.0);
  return min + left * (max - min);
}

}  // namespace wan
