#include "support/late_device.hpp"

#include <algorithm>
#include <cstring>

namespace wan::test {

void* LateDevice::allocate(std::int64_t bytes) {
  const std::lock_guard<std::mutex> guard(mutex_);
  ++counts_.allocations;
  return ForwardingDevice::allocate(bytes);
}

void* LateDevice::allocate_pinned(std::int64_t bytes) {
  const std::lock_guard<std::mutex> guard(mutex_);
  ++counts_.allocations;
  void* const memory = ForwardingDevice::allocate_pinned(bytes);
  pinned_[static_cast<const std::byte*>(memory)] = bytes;
  return memory;
}

void LateDevice::release_pinned(void* memory) noexcept {
  const std::lock_guard<std::mutex> guard(mutex_);
  const auto* const begin = static_cast<const std::byte*>(memory);
  const std::byte* const end = begin + pinned_[begin];
  copies_.erase(std::remove_if(copies_.begin(), copies_.end(),
                               [&](const Copy& copy) { return copy.pinned >= begin && copy.pinned < end; }),
                copies_.end());
  pinned_.erase(begin);
  ForwardingDevice::release_pinned(memory);
}

bool LateDevice::is_pinned(const void* memory) {
  const std::lock_guard<std::mutex> guard(mutex_);
  const auto* const byte = static_cast<const std::byte*>(memory);
  const auto after = pinned_.upper_bound(byte);
  if (after == pinned_.begin()) return false;
  const auto& [begin, bytes] = *std::prev(after);
  return byte < begin + bytes;
}

void LateDevice::copy(void* to, const void* from, std::int64_t bytes, Stream stream) {
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 0));
  const auto* const source = static_cast<const std::byte*>(from);
  if (is_pinned(to)) {
    copies_.push_back({recorded_ + 1, static_cast<std::byte*>(to), true, {source, source + size}});
    std::memset(to, 0xff, size);
    return;
  }
  if (is_pinned(from)) {
    copies_.push_back(
        {recorded_ + 1, static_cast<std::byte*>(const_cast<void*>(from)), false, {source, source + size}});
  }
  ForwardingDevice::copy(to, from, bytes, stream);
}

Event LateDevice::record(Stream) {
  return {reinterpret_cast<void*>(++recorded_)};
}

void LateDevice::finish(std::uintptr_t number) {
  std::vector<Copy> later;
  for (Copy& copy : copies_) {
    if (copy.number > number) {
      later.push_back(std::move(copy));
    } else if (copy.to_pinned) {
      std::memcpy(copy.pinned, copy.content.data(), copy.content.size());
    } else if (std::memcmp(copy.pinned, copy.content.data(), copy.content.size()) != 0) {
      ++overwritten_;
    }
  }
  copies_ = std::move(later);
  done_ = std::max(done_, number);
}

void LateDevice::synchronize(Stream stream) {
  ++counts_.synchronizations;
  finish(++recorded_);  // as if it had recorded an event
  ForwardingDevice::synchronize(stream);
}

void LateDevice::await(Event event) {
  const auto number = reinterpret_cast<std::uintptr_t>(event.handle);
  if (number <= done_) return;
  const bool losses_follow = std::any_of(copies_.begin(), copies_.end(), [&](const Copy& copy) {
    return copy.number > number && copy.to_pinned;
  });
  if (!losses_follow) ++counts_.idle_waits;
  finish(number);
}

bool LateDevice::reached(Event event) {
  return reinterpret_cast<std::uintptr_t>(event.handle) <= done_;
}

}  // namespace wan::test
