#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace wan {

/// Which of two ways to compute a step is faster, found by computing steps: each way takes one to set itself
/// up and one that is timed.
class GuidanceRace {
 public:
  static constexpr int batched = 0;
  static constexpr int sequential = 1;
  /// A race takes four steps; with fewer than twice as many it does not pay.
  static constexpr std::int64_t least_steps = 8;

  /// Only `way`.
  explicit GuidanceRace(int way) : winner_(way) {}
  /// `wait` returns when the device has done all it was told. Called four times in all.
  explicit GuidanceRace(std::function<void()> wait) : wait_(std::move(wait)) {}

  /// The way that step `i` goes; steps come in order, from 0.
  [[nodiscard]] int begin_step(std::int64_t i);
  /// True when this step has decided the race.
  [[nodiscard]] bool end_step(std::int64_t i);

  [[nodiscard]] bool decided() const { return winner_ >= 0; }
  [[nodiscard]] int winner() const { return winner_; }
  [[nodiscard]] double milliseconds(int way) const { return milliseconds_[way]; }

 private:
  using Clock = std::chrono::steady_clock;

  std::function<void()> wait_;
  int winner_ = -1;
  double milliseconds_[2] = {0, 0};
  Clock::time_point begin_;
};

}  // namespace wan
