#include "prep/moments_pool.hpp"

#include <algorithm>

namespace wan {

std::shared_ptr<float> MomentsPool::take(std::int64_t bytes) {
  std::unique_lock<std::mutex> guard(mutex_);
  auto place = taken_.end();
  changed_.wait(guard, [&] {
    place = std::find(taken_.begin(), taken_.end(), false);
    return place != taken_.end();
  });
  *place = true;
  const auto number = static_cast<std::size_t>(place - taken_.begin());
  PinnedBuffer& buffer = buffers_[number];
  if (buffer.bytes() < bytes) {
    device_.synchronize();  // a clip that was given up may still be on its way into it
    buffer = PinnedBuffer();
    buffer = PinnedBuffer(device_, bytes);
  }
  return {static_cast<float*>(buffer.data()), [this, number](float*) { give_back(number); }};
}

void MomentsPool::give_back(std::size_t place) {
  const std::lock_guard<std::mutex> guard(mutex_);
  taken_[place] = false;
  changed_.notify_all();
}

}  // namespace wan
