#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace wan {

/// A clock that tells milliseconds.
class StopWatch {
 public:
  [[nodiscard]] double ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// What one batch of videos took.
struct BatchTimes {
  std::vector<std::string> videos;
  std::string branches;
  std::int64_t steps = 0;
  double denoise_ms = 0;
  double vae_ms = 0;    ///< decoding, until the last picture was on the host
  double write_ms = 0;  ///< coding and writing the files, which runs beside all else
};

/// What the stages of a rank's job took, for `--timings`.
struct StageTimes {
  double load_ms = 0;      ///< all models' weights
  double text_ms = 0;      ///< encoding the prompts
  double sampling_ms = 0;  ///< all but loading: texts, and from the first batch's start to the last file
  std::vector<BatchTimes> batches;

  [[nodiscard]] Json json() const;
};

}  // namespace wan
