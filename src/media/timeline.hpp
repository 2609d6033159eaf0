#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "media/rational.hpp"

namespace wan {

/// When each frame of a video is shown, in ticks of `tick` seconds: frame i from pts[i] to pts[i + 1], the
/// last to `end`. `pts` is not empty and strictly increasing, end > pts.back(). The first may be negative.
struct Timeline {
  Rational tick;
  std::vector<std::int64_t> pts;
  std::int64_t end = 0;
};

/// A constant frame rate to resample to; without a value every frame of the file is taken once, whatever its
/// time.
using TargetRate = std::optional<Rational>;

/// How many frames the resampled sequence has: those k >= 0 with k / F + tolerance < end - pts[0]; at
/// least 1. The tolerance is two ticks, at most 2 ms, because containers round times to ticks (1 ms in mkv).
[[nodiscard]] std::int64_t resampled_count(const Timeline& timeline, const TargetRate& rate);

/// Which frame of the file is frame k of the resampled sequence: the one on screen at pts[0] + k / F, that is
/// the last with pts <= pts[0] + k / F + tolerance. 0 <= k < resampled_count.
[[nodiscard]] std::int64_t source_frame(const Timeline& timeline, const TargetRate& rate, std::int64_t k);

}  // namespace wan
