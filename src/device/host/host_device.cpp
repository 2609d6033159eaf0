#include "device/host/host_device.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/text.hpp"
#include "device/out_of_memory.hpp"

namespace wan {
namespace {

constexpr std::int64_t alignment = 256;

double free_memory() {
  return static_cast<double>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void* HostDevice::allocate(std::int64_t bytes) {
  const std::int64_t rounded = std::max((bytes + alignment - 1) / alignment * alignment, alignment);
  void* memory = bytes < 0 ? nullptr : std::aligned_alloc(alignment, static_cast<std::size_t>(rounded));
  if (memory == nullptr) {
    throw OutOfMemory(bytes, cat("the host has no ", human_bytes(static_cast<double>(bytes)),
                                 " for the device (about ", human_bytes(free_memory()), " free)"));
  }
  return memory;
}

void HostDevice::release(void* memory) noexcept {
  std::free(memory);
}

void HostDevice::copy(void* to, const void* from, std::int64_t bytes, Stream) {
  if (bytes > 0) std::memmove(to, from, static_cast<std::size_t>(bytes));
}

void HostDevice::zero(void* memory, std::int64_t bytes, Stream) {
  if (bytes > 0) std::memset(memory, 0, static_cast<std::size_t>(bytes));
}

}  // namespace wan
