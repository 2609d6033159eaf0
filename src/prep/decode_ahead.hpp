#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "prep/frame_queue.hpp"
#include "prep/source_plan.hpp"

namespace wan {

/// A clip that is to be encoded: which row it becomes.
struct ClipTask {
  std::int64_t shard = 0;  ///< number in the caller's list of shards
  std::int64_t row = 0;
  Clip clip;
};

/// The clips of one video, in rising order of frames, so that they decode in one pass.
struct SourceTask {
  std::string path;
  std::int64_t height = 0;  ///< as encoded
  std::int64_t width = 0;
  std::vector<ClipTask> clips;
};

/// Decodes videos on threads of its own, ahead of the encoder. Each thread takes one video after the other.
class DecodeAhead {
 public:
  /// `most_bytes` of frames wait per clip; one more clip than threads may be under way.
  DecodeAhead(std::vector<SourceTask> sources, PrepRules rules, int threads, std::int64_t most_bytes);
  ~DecodeAhead();
  DecodeAhead(const DecodeAhead&) = delete;
  DecodeAhead& operator=(const DecodeAhead&) = delete;

  struct Stream {
    ClipTask task;
    std::shared_ptr<FrameQueue> frames;
  };
  /// Waits for the next clip that a thread has begun; false when all were given out. A video that cannot be
  /// opened gives all its clips, each failing.
  [[nodiscard]] bool next(Stream& stream);

 private:
  void work();
  void decode(const SourceTask& source);
  /// Hands out the clip's queue; null when the encoder has gone.
  [[nodiscard]] std::shared_ptr<FrameQueue> open(const ClipTask& task);

  const std::vector<SourceTask> sources_;
  const PrepRules rules_;
  const std::int64_t most_bytes_;
  const std::size_t most_open_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t next_source_ = 0;
  std::size_t working_ = 0;
  std::deque<Stream> open_;
  std::vector<std::weak_ptr<FrameQueue>> given_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace wan
