#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "media/image.hpp"
#include "prep/reject.hpp"

namespace wan {

/// The frames of one clip on their way from a decoding thread to the encoder. It holds a limited number of
/// bytes, so that memory does not depend on a clip's length.
class FrameQueue {
 public:
  explicit FrameQueue(std::int64_t most_bytes) : most_bytes_(most_bytes) {}

  // The decoder's side.
  /// Waits for room (one frame always fits); false when the encoder wants no more.
  [[nodiscard]] bool push(Image frame);
  /// All frames are there; `decode_s` is the time they took.
  void finish(double decode_s);
  void fail(const Reject& reject);

  // The encoder's side.
  /// Waits for the next frame; nothing after the last. Throws the Reject given to fail().
  [[nodiscard]] std::optional<Image> pop();
  [[nodiscard]] double decode_s() const;
  /// Wants no more frames.
  void abandon();

 private:
  const std::int64_t most_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Image> frames_;
  std::int64_t bytes_ = 0;
  bool finished_ = false;
  bool abandoned_ = false;
  std::optional<Reject> reject_;
  double decode_s_ = 0;
};

}  // namespace wan
