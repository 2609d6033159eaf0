#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "data/batches.hpp"
#include "data/host_pack.hpp"

namespace wan {

/// What one forward and backward takes: `micro` packs concatenated.
struct MicroBatch {
  HostPack pack;
  std::int64_t step_samples = 0;  ///< of the whole step on all ranks
  std::int64_t step_tokens = 0;
  bool last = false;  ///< the step's last on this rank
};

/// Reads a rank's micro batches ahead of their use on a thread of its own, which takes turns with other users
/// of HDF5.
class Loader {
 public:
  struct Options {
    std::uint64_t seed = 0;
    Packing packing;
    BatchLayout layout;
    std::int64_t read_ahead = 2;  ///< micro batches kept ready; 0 reads when asked, without a thread
  };

  /// Continues at `start`. Throws as BatchSequence does.
  Loader(std::shared_ptr<const SampleSource> source, const Options& options, const LoaderState& start = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next micro batch. Throws what reading it threw (DataError, IoError).
  [[nodiscard]] MicroBatch next();

  /// Where the next step begins: that of the last step whose every micro batch was taken.
  [[nodiscard]] const LoaderState& state() const { return state_; }

 private:
  struct Ready {
    MicroBatch batch;
    LoaderState after;
  };

  [[nodiscard]] Ready produce();
  void read_ahead();

  std::shared_ptr<const SampleSource> source_;
  BatchSequence sequence_;
  std::int64_t capacity_;
  LoaderState state_;

  BatchPlan step_;
  std::size_t next_micro_step_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Ready> ready_;
  std::exception_ptr failure_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace wan
