#pragma once
#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "device/ops/kokkos/element_range.hpp"
#include "device/ops/kokkos/lanes_cuda.hpp"
#include "device/ops/kokkos/pack.hpp"

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
struct ElementPerThread {
  Kernel kernel;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t i) const { kernel(i, kernel.operands(i)); }
};

/// Packs that a thread loads before it works on the first.
inline constexpr int packs_at_once = 2;

/// Elements of a thread: packs a block's width apart, or what is left of them one by one.
template <int width, class Kernel>
struct PacksPerThread {
  static constexpr int threads = 256;
  static constexpr std::int64_t block_elements = std::int64_t{threads} * packs_at_once * width;

  std::int64_t count;
  Kernel kernel;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t number) const {
    const std::int64_t first =
        number / threads * block_elements + static_cast<std::int64_t>(number % threads) * width;
    const Columns<width> last{first + (packs_at_once - 1) * threads * width};
    if (last.first + width <= count) {
      decltype(kernel.operands(last)) loaded[packs_at_once];
#pragma unroll
      for (int i = 0; i < packs_at_once; ++i)
        loaded[i] = kernel.operands(Columns<width>{first + i * threads * width});
#pragma unroll
      for (int i = 0; i < packs_at_once; ++i) kernel(Columns<width>{first + i * threads * width}, loaded[i]);
      return;
    }
    for (int pack = 0; pack < packs_at_once; ++pack) {
      const std::int64_t begin = first + pack * threads * width;
      for (std::int64_t i = begin; i < begin + width && i < count; ++i) kernel(i, kernel.operands(i));
    }
  }
};

/// kernel(i, kernel.operands(i)) for each element i < count, which takes packs of `width` elements as well
/// where `packs`.
template <int width, class Kernel>
void launch_packed_elements(const char* label, std::int64_t count, bool packs, const Kernel& kernel) {
  if (!packs) {
    launch_elements(label, count, ElementPerThread<Kernel>{kernel});
  } else {
    using Packs = PacksPerThread<width, Kernel>;
    launch_items(label, (count + Packs::block_elements - 1) / Packs::block_elements * Packs::threads,
                 Packs{count, kernel});
  }
}

/// Ranges that one launch goes through, each with blocks of its own.
struct RangeTable {
  static constexpr int most = 32;

  int count = 0;
  ElementRange range[most];
  std::int64_t block[most];  ///< the first of each
};

template <int width, class MakeKernel>
struct PacksOfRanges {
  using Packs = PacksPerThread<width, std::invoke_result_t<MakeKernel, ElementRange>>;

  RangeTable table;
  MakeKernel of_range;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t number) const {
    int i = 0;
    while (i + 1 < table.count && table.block[i + 1] <= number / Packs::threads) ++i;
    const ElementRange& range = table.range[i];
    Packs{range.last - range.first, of_range(range)}(number - table.block[i] * Packs::threads);
  }
};

/// of_range(range), a kernel of elements from range.first on, on each range's elements; in packs of `width`
/// where `packs`: then as many ranges as possible in one launch.
template <int width, class MakeKernel>
void launch_ranges(const char* label, const std::vector<ElementRange>& ranges, bool packs,
                   const MakeKernel& of_range) {
  using Work = PacksOfRanges<width, MakeKernel>;
  RangeTable table;
  std::int64_t blocks = 0;
  const auto launch = [&] {
    // As an argument: a kernel of more than 512 bytes would go through memory that the one before must have
    // left, which Kokkos waits for.
    Kokkos::parallel_for(
        label,
        Kokkos::Experimental::require(Range(0, blocks * Work::Packs::threads),
                                      Kokkos::Experimental::WorkItemProperty::HintLightWeight),
        Work{table, of_range});
    table.count = 0;
    blocks = 0;
  };
  for (const ElementRange& range : ranges) {
    const std::int64_t count = range.last - range.first;
    if (!packs) {
      launch_packed_elements<width>(label, count, false, of_range(range));
    } else if (count > 0) {
      table.range[table.count] = range;
      table.block[table.count++] = blocks;
      blocks += (count + Work::Packs::block_elements - 1) / Work::Packs::block_elements;
      if (table.count == RangeTable::most) launch();
    }
  }
  if (table.count > 0) launch();
}

template <int width, class MakeKernel>
struct PackOfRow {
  std::int64_t packs;  ///< of a row
  MakeKernel of_row;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t item) const {
    const auto kernel = of_row(item / packs);
    const std::int64_t first = item % packs * width;
    if constexpr (width == 1) {
      kernel(first, kernel.operands(first));
    } else {
      const Columns<width> c{first};
      kernel(c, kernel.operands(c));
    }
  }
};

/// of_row(row), a kernel of elements, on each row's elements c < cols; in packs of `width` where `packs`.
template <int width, class MakeKernel>
void launch_elements_of_rows(const char* label, std::int64_t rows, std::int64_t cols, bool packs,
                             const MakeKernel& of_row) {
  if (packs) {
    launch_items(label, rows * (cols / width), PackOfRow<width, MakeKernel>{cols / width, of_row});
  } else {
    launch_items(label, rows * cols, PackOfRow<1, MakeKernel>{cols, of_row});
  }
}

}  // namespace wan::kernels
