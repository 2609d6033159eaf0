#include "prep/frame_queue.hpp"

#include <utility>

namespace wan {
namespace {

std::int64_t bytes_of(const Image& image) {
  return static_cast<std::int64_t>(image.rgb.size());
}

}  // namespace

bool FrameQueue::push(Image frame) {
  std::unique_lock<std::mutex> guard(mutex_);
  changed_.wait(guard,
                [&] { return abandoned_ || frames_.empty() || bytes_ + bytes_of(frame) <= most_bytes_; });
  if (abandoned_) return false;
  bytes_ += bytes_of(frame);
  frames_.push_back(std::move(frame));
  changed_.notify_all();
  return true;
}

void FrameQueue::finish(double decode_s) {
  const std::lock_guard<std::mutex> guard(mutex_);
  decode_s_ = decode_s;
  finished_ = true;
  changed_.notify_all();
}

void FrameQueue::fail(const Reject& reject) {
  const std::lock_guard<std::mutex> guard(mutex_);
  reject_ = reject;
  changed_.notify_all();
}

std::optional<Image> FrameQueue::pop() {
  std::unique_lock<std::mutex> guard(mutex_);
  changed_.wait(guard, [&] { return !frames_.empty() || finished_ || reject_; });
  if (reject_) throw Reject(*reject_);
  if (frames_.empty()) return std::nullopt;
  Image frame = std::move(frames_.front());
  frames_.pop_front();
  bytes_ -= bytes_of(frame);
  changed_.notify_all();
  return frame;
}

double FrameQueue::decode_s() const {
  const std::lock_guard<std::mutex> guard(mutex_);
  return decode_s_;
}

void FrameQueue::abandon() {
  const std::lock_guard<std::mutex> guard(mutex_);
  abandoned_ = true;
  frames_.clear();
  changed_.notify_all();
}

}  // namespace wan
