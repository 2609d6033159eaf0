#include "device/ops/cuda/race.hpp"

#include <limits>
#include <vector>

#include "device/ops/cuda/status.hpp"

namespace wan::cuda {
namespace {

/// The first round warms up.
constexpr int rounds = 4;
constexpr float clear_lead = 0.98F;

class TimedEvent {
 public:
  TimedEvent() { check(cudaEventCreate(&event_), "timer"); }
  ~TimedEvent() { cudaEventDestroy(event_); }
  TimedEvent(const TimedEvent&) = delete;
  TimedEvent& operator=(const TimedEvent&) = delete;

  void record(cudaStream_t stream) { check(cudaEventRecord(event_, stream), "timer"); }
  [[nodiscard]] float ms_since(const TimedEvent& start) const {
    check(cudaEventSynchronize(event_), "timer");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, start.event_, event_), "timer");
    return ms;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace

std::optional<Winner> race(cudaStream_t stream, int count, const std::function<bool(int)>& run) {
  constexpr float never = std::numeric_limits<float>::infinity();
  std::vector<bool> able(static_cast<std::size_t>(count), true);
  std::vector<float> best(static_cast<std::size_t>(count), never);
  TimedEvent start;
  TimedEvent end;
  for (int round = 0; round < rounds; ++round) {
    for (int way = 0; way < count; ++way) {
      const auto at = static_cast<std::size_t>(way);
      if (!able[at]) continue;
      start.record(stream);
      able[at] = run(way);
      end.record(stream);
      const float ms = end.ms_since(start);
      if (able[at] && round > 0 && ms < best[at]) best[at] = ms;
    }
  }
  Winner winner{0, able.empty() || !able[0] ? never : best[0]};
  for (int way = 1; way < count; ++way) {
    const auto at = static_cast<std::size_t>(way);
    const float to_beat = winner.way == 0 ? clear_lead * winner.ms : winner.ms;
    if (able[at] && best[at] < to_beat) winner = {way, best[at]};
  }
  if (winner.ms == never) return std::nullopt;
  return winner;
}

}  // namespace wan::cuda
