#include "media/timeline.hpp"

#include <algorithm>
#include <cassert>

namespace wan {
namespace {

/// k * rate.den / rate.num seconds in ticks is k * numerator / denominator; rates and clocks reach 2^31 each.
__extension__ using Wide = __int128;

constexpr std::int64_t max_tolerance_per_second = 500;
constexpr std::int64_t tolerance_ticks = 2;

struct Scale {
  Wide ticks;      ///< per frame of the target rate, times `unit`
  Wide tolerance;  ///< in ticks, times `unit`
  Wide unit;
};

Scale scale_of(const Rational& tick, const Rational& rate) {
  const bool fine = tolerance_ticks * tick.num * max_tolerance_per_second <= tick.den;
  const Wide unit = Wide{rate.num} * tick.num * max_tolerance_per_second;
  return {Wide{rate.den} * tick.den * max_tolerance_per_second,
          fine ? tolerance_ticks * unit : Wide{rate.num} * tick.den, unit};
}

}  // namespace

std::int64_t resampled_count(const Timeline& timeline, const TargetRate& rate) {
  assert(!timeline.pts.empty() && timeline.end > timeline.pts.back());
  if (!rate) return static_cast<std::int64_t>(timeline.pts.size());
  const Scale scale = scale_of(timeline.tick, *rate);
  const Wide span = Wide{timeline.end - timeline.pts.front()} * scale.unit - scale.tolerance;
  return span <= 0 ? 1 : static_cast<std::int64_t>((span + scale.ticks - 1) / scale.ticks);
}

std::int64_t source_frame(const Timeline& timeline, const TargetRate& rate, std::int64_t k) {
  assert(k >= 0 && k < resampled_count(timeline, rate));
  if (!rate) return k;
  const Scale scale = scale_of(timeline.tick, *rate);
  const Wide since_first = (k * scale.ticks + scale.tolerance) / scale.unit;
  const std::int64_t latest = timeline.pts.front() + static_cast<std::int64_t>(since_first);
  const auto after = std::upper_bound(timeline.pts.begin(), timeline.pts.end(), latest);
  return after - timeline.pts.begin() - 1;
}

}  // namespace wan
