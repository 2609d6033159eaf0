#pragma once
#include <cstdint>

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/workspace.hpp"

namespace wan::kernels {

/// Sums of fp64 terms are formed per block of this many elements, then over the blocks in a fixed
/// order: the same bits on any number of threads.
inline constexpr std::int64_t sum_block = 32768;

template <class Term>
struct BlockSums {
  std::int64_t count;
  Term term;
  double* partial;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t block) const {
    const std::int64_t begin = block * sum_block;
    const std::int64_t left = count - begin;
    partial[block] =
        lanes.sum(left < sum_block ? left : sum_block, [&](std::int64_t i) { return term(begin + i); });
  }
};

template <class Finish>
struct FinishSum {
  std::int64_t blocks;
  const double* partial;
  Finish finish;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t) const {
    const double* const from = partial;
    const double total = lanes.sum(blocks, [=](std::int64_t block) { return from[block]; });
    lanes.once([&] { finish(total); });
  }
};

/// finish(sum of term(i) over i < count), all on the device.
template <class Term, class Finish>
void sum_elements(const char* label, Workspace& workspace, std::int64_t count, const Term& term,
                  const Finish& finish) {
  const std::int64_t blocks = (count + sum_block - 1) / sum_block;
  auto* const partial = static_cast<double*>(workspace.take(8 * blocks));
  launch_rows(label, blocks, BlockSums<Term>{count, term, partial});
  launch_rows(label, 1, FinishSum<Finish>{blocks, partial, finish});
}

}  // namespace wan::kernels
