#include "sample/guidance_race.hpp"

namespace wan {

int GuidanceRace::begin_step(std::int64_t i) {
  if (decided()) return winner_;
  if (i % 2 == 1) {
    wait_();
    begin_ = Clock::now();
  }
  return static_cast<int>(i / 2);
}

bool GuidanceRace::end_step(std::int64_t i) {
  if (decided() || i % 2 == 0) return false;
  wait_();
  milliseconds_[i / 2] = std::chrono::duration<double, std::milli>(Clock::now() - begin_).count();
  if (i < 3) return false;
  winner_ = milliseconds_[batched] <= milliseconds_[sequential] ? batched : sequential;
  return true;
}

}  // namespace wan
