#include "device/ops/kokkos/workspace.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cassert>

#include "base/text.hpp"
#include "device/out_of_memory.hpp"

namespace wan {
namespace {

constexpr std::int64_t alignment = 256;

std::int64_t round_up(std::int64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

Workspace::~Workspace() {
  release_blocks();
}

void Workspace::release_blocks() {
  for (const Block& block : blocks_) Kokkos::kokkos_free(block.memory);
  blocks_.clear();
  current_ = 0;
  used_ = 0;
}

void Workspace::grow(std::int64_t bytes) {
  try {
    // Room to align the first byte: Kokkos promises only 64.
    blocks_.push_back(
        {Kokkos::kokkos_malloc("ops workspace", static_cast<std::size_t>(bytes + alignment)), bytes});
  } catch (const std::exception& error) {
    throw OutOfMemory(bytes, cat("no ", human_bytes(static_cast<double>(bytes)),
                                 " of scratch memory for an op: ", error.what()));
  }
}

void* Workspace::take(std::int64_t bytes) {
  const std::int64_t rounded = round_up(std::max<std::int64_t>(bytes, 1));
  while (current_ < blocks_.size() && used_ + rounded > blocks_[current_].bytes) {
    ++current_;
    used_ = 0;
  }
  if (current_ == blocks_.size()) grow(rounded);
  const auto base = reinterpret_cast<std::uintptr_t>(blocks_[current_].memory);
  const std::uintptr_t aligned = (base + alignment - 1) / alignment * alignment;
  void* const out = reinterpret_cast<void*>(aligned + static_cast<std::uintptr_t>(used_));
  used_ += rounded;
  return out;
}

void Workspace::merge() {
  if (blocks_.size() < 2) return;
  std::int64_t total = 0;
  for (const Block& block : blocks_) total += block.bytes;
  release_blocks();
  grow(total);
}

}  // namespace wan
