#pragma once
#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstdint>

#include "device/ops/kokkos/block_lanes.hpp"
#include "device/ops/kokkos/lanes_cuda.hpp"

namespace wan::kernels {

using Space = Kokkos::DefaultExecutionSpace;
using Range = Kokkos::RangePolicy<Space, Kokkos::IndexType<std::int64_t>>;

/// Thread i of a range is lane i % 32 of its warp: Kokkos deals out consecutive numbers inside a block, which
/// the self-test checks.
template <class Kernel>
struct WarpPerRow {
  Kernel kernel;

  KOKKOS_FUNCTION void operator()(std::int64_t thread) const {
    kernel(Lanes{static_cast<int>(thread % Lanes::width)}, thread / Lanes::width);
  }
};

/// kernel(lanes, row) for each row, a warp each.
template <class Kernel>
void launch_rows(const char* label, std::int64_t rows, const Kernel& kernel) {
  if (rows <= 0) return;
  Kokkos::parallel_for(label, Range(0, rows * Lanes::width), WarpPerRow<Kernel>{kernel});
}

// Blocks of any size up to 1024 lanes; that bound leaves each lane 64 registers.
using Blocks = Kokkos::TeamPolicy<Space, Kokkos::LaunchBounds<1024, 1>>;

template <class Kernel>
struct BlockPerRow {
  Kernel kernel;

  KOKKOS_FUNCTION void operator()(const Blocks::member_type& block) const {
    kernel(BlockLanes(block.team_rank(), block.team_size()), std::int64_t{block.league_rank()});
  }
};

/// Lanes of a block that holds a row.
inline int lanes_of(std::int64_t cols) {
  const std::int64_t packs = (cols + pack_width - 1) / pack_width;
  return static_cast<int>((packs + 31) / 32 * 32);
}

/// How many such blocks the GPU runs side by side.
inline std::int64_t blocks_at_once(std::int64_t cols) {
  return std::int64_t{Space().cuda_device_prop().multiProcessorCount} * std::min(32, 1024 / lanes_of(cols));
}

/// kernel(lanes, row) for each row of `cols` columns: where they can be taken in packs and a block can hold
/// them, a block each, else a warp each.
template <class Kernel>
void launch_packed_rows(const char* label, std::int64_t rows, std::int64_t cols, bool packs,
                        const Kernel& kernel) {
  if (!packs || cols > most_packed_columns) return launch_rows(label, rows, kernel);
  if (rows <= 0) return;
  Kokkos::parallel_for(label, Blocks(static_cast<int>(rows), lanes_of(cols)), BlockPerRow<Kernel>{kernel});
}

/// kernel(i) for each item i < count, a thread each.
template <class Kernel>
void launch_items(const char* label, std::int64_t count, const Kernel& kernel) {
  if (count <= 0) return;
  Kokkos::parallel_for(label, Range(0, count), kernel);
}

/// kernel(i) for each element i < count, a thread each.
template <class Kernel>
void launch_elements(const char* label, std::int64_t count, const Kernel& kernel) {
  launch_items(label, count, kernel);
}

template <class Kernel>
struct PackPerThread {
  std::int64_t count;
  Kernel kernel;

  KOKKOS_FUNCTION void operator()(std::int64_t number) const {
    const std::int64_t first = number * element_pack;
    if (first + element_pack <= count) {
      kernel(Columns<element_pack>{first});
    } else {
      for (std::int64_t i = first; i < count; ++i) kernel(i);
    }
  }
};

/// kernel(i) for each element i < count, which takes packs of elements as well where `packs`.
template <class Kernel>
void launch_packed_elements(const char* label, std::int64_t count, bool packs, const Kernel& kernel) {
  if (!packs) return launch_elements(label, count, kernel);
  launch_items(label, (count + element_pack - 1) / element_pack, PackPerThread<Kernel>{count, kernel});
}

}  // namespace wan::kernels
