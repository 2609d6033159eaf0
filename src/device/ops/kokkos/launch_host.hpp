#pragma once
#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstdint>
#include <vector>

#include "device/ops/kokkos/element_range.hpp"
#include "device/ops/kokkos/lanes_host.hpp"

namespace wan::kernels {

using Space = Kokkos::DefaultExecutionSpace;
using Range = Kokkos::RangePolicy<Space, Kokkos::IndexType<std::int64_t>>;

/// kernel(lanes, row) for each row.
template <class Kernel>
void launch_rows(const char* label, std::int64_t rows, const Kernel& kernel) {
  if (rows <= 0) return;
  Kokkos::parallel_for(
      label, Range(0, rows), KOKKOS_LAMBDA(std::int64_t row) { kernel(Lanes{}, row); });
}

/// kernel(i) for each item i < count, of which each has work enough for a thread of its own.
template <class Kernel>
void launch_items(const char* label, std::int64_t count, const Kernel& kernel) {
  if (count <= 0) return;
  Kokkos::parallel_for(label, Range(0, count), kernel);
}

/// What function(element) is for each element of what is loaded at once: on a CPU one.
template <class Function>
KOKKOS_FORCEINLINE_FUNCTION float each_part(float value, const Function& function) {
  return function(value);
}

/// Elements that one thread walks at a stretch.
inline constexpr std::int64_t element_block = 4096;

/// kernel(i) for each element i < count.
template <class Kernel>
void launch_elements(const char* label, std::int64_t count, const Kernel& kernel) {
  if (count <= 0) return;
  Kokkos::parallel_for(
      label, Range(0, (count + element_block - 1) / element_block), KOKKOS_LAMBDA(std::int64_t block) {
        const std::int64_t begin = block * element_block;
        Lanes{}.each(std::min(element_block, count - begin), [&](std::int64_t i) { kernel(begin + i); });
      });
}

/// kernel(i, kernel.operands(i)) for each element i < count: a CPU's vectors are the compiler's concern.
template <int, class Kernel>
void launch_packed_elements(const char* label, std::int64_t count, bool, const Kernel& kernel) {
  if (count <= 0) return;
  Kokkos::parallel_for(
      label, Range(0, (count + element_block - 1) / element_block), KOKKOS_LAMBDA(std::int64_t block) {
        const std::int64_t begin = block * element_block;
        Lanes{}.each(std::min(element_block, count - begin),
                     [&](std::int64_t i) { kernel(begin + i, kernel.operands(begin + i)); });
      });
}

/// of_range(range), a kernel of elements from range.first on, on each range's elements.
template <int width, class MakeKernel>
void launch_ranges(const char* label, const std::vector<ElementRange>& ranges, bool packs,
                   const MakeKernel& of_range) {
  for (const ElementRange& range : ranges)
    launch_packed_elements<width>(label, range.last - range.first, packs, of_range(range));
}

/// of_row(row), a kernel of elements, on each row's elements c < cols.
template <int, class MakeKernel>
void launch_elements_of_rows(const char* label, std::int64_t rows, std::int64_t cols, bool,
                             const MakeKernel& of_row) {
  if (rows <= 0) return;
  Kokkos::parallel_for(
      label, Range(0, rows), KOKKOS_LAMBDA(std::int64_t row) {
        const auto kernel = of_row(row);
        Lanes{}.each(cols, [&](std::int64_t c) { kernel(c, kernel.operands(c)); });
      });
}

}  // namespace wan::kernels
