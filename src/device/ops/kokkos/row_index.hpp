#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wan::kernels {

/// The index of every `stride`th row: never decreasing, 0 where there is none.
struct RowIndex {
  const std::int32_t* of;
  std::int64_t stride = 1;

  KOKKOS_FORCEINLINE_FUNCTION std::int32_t operator()(std::int64_t i) const {
    return of == nullptr ? 0 : of[i * stride];
  }
  /// The first place in (first, last] whose index is not that of `first`.
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION std::int64_t end_of_run(std::int64_t first,
                                                                    std::int64_t last) const {
    const RowIndex& self = *this;
    const std::int32_t r = self(first);
    if (self(last - 1) == r) return last;
    std::int64_t in = first;
    std::int64_t out = last - 1;
    while (out - in > 1) {
      const std::int64_t middle = in + (out - in) / 2;
      (self(middle) == r ? in : out) = middle;
    }
    return out;
  }
};

}  // namespace wan::kernels
