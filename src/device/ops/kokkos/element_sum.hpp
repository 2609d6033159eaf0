#pragma once
#include <cstdint>

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/workspace.hpp"

namespace wan::kernels {

/// Sums of fp64 terms are formed per block of this many elements, then over the blocks in a fixed
/// order: the same bits on any number of threads.
inline constexpr std::int64_t sum_block = 32768;

/// Elements that a thread of a GPU takes at once.
inline constexpr int sum_pack = 4;

/// term(a, b), or the sum of term over the elements of two packs.
template <class Term>
KOKKOS_FORCEINLINE_FUNCTION double add_parts(float a, float b, const Term& term) {
  return term(a, b);
}
#if defined(WAN_CUDA_KERNELS)
template <int width, class Term>
KOKKOS_FORCEINLINE_FUNCTION double add_parts(const Pack<width>& a, const Pack<width>& b, const Term& term) {
  double sum = 0;
#pragma unroll
  for (int i = 0; i < width; ++i) sum += term(a.value[i], b.value[i]);
  return sum;
}
#endif

template <class Term>
struct BlockSums {
  std::int64_t count;
  bool packs;
  Term term;
  double* partial;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t block) const {
    const std::int64_t begin = block * sum_block;
    const std::int64_t left = count - begin;
    const std::int64_t here = left < sum_block ? left : sum_block;
    double sum = 0;
    std::int64_t done = 0;
#if defined(WAN_CUDA_KERNELS)
    if (packs) {
      sum = lanes.sum(here / sum_pack,
                      [&](std::int64_t pack) { return term(Columns<sum_pack>{begin + pack * sum_pack}); });
      done = here / sum_pack * sum_pack;
    }
#endif
    sum += lanes.sum(here - done, [&](std::int64_t i) { return term(begin + done + i); });
    partial[block] = sum;
  }
};

/// Partial sums that one warp adds up; it would read thousands for longer than all warps the elements.
inline constexpr std::int64_t most_partial = 512;

struct AddPartial {
  std::int64_t count;
  const double* partial;
  double* out;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t run) const {
    const std::int64_t left = count - run * most_partial;
    const double* const from = partial + run * most_partial;
    const double sum =
        lanes.sum(left < most_partial ? left : most_partial, [=](std::int64_t i) { return from[i]; });
    lanes.once([&] { out[run] = sum; });
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

/// finish(sum of term(i) over i < count), all on the device; `packs`: a GPU may take the sum of a pack of
/// terms at once.
template <class Term, class Finish>
void sum_elements(const char* label, Workspace& workspace, std::int64_t count, bool packs, const Term& term,
                  const Finish& finish) {
  std::int64_t blocks = (count + sum_block - 1) / sum_block;
  auto* partial = static_cast<double*>(workspace.take(8 * blocks));
  launch_rows(label, blocks, BlockSums<Term>{count, packs, term, partial});
  while (blocks > most_partial) {
    const std::int64_t runs = (blocks + most_partial - 1) / most_partial;
    auto* const sums = static_cast<double*>(workspace.take(8 * runs));
    launch_rows(label, runs, AddPartial{blocks, partial, sums});
    partial = sums;
    blocks = runs;
  }
  launch_rows(label, 1, FinishSum<Finish>{blocks, partial, finish});
}

}  // namespace wan::kernels
