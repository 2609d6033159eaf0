#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>

namespace wan::kernels {

/// The lanes that work on one row together: a warp of a GPU. Every lane runs the kernel; lane i takes columns
/// i, i + 32, … Same members as the CPU's.
struct Lanes {
  static constexpr int width = 32;

  int lane;

  /// body(c) for each c < count, in any order.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each(std::int64_t count, const Body& body) const {
    for (std::int64_t c = lane; c < count; c += width) body(c);
  }

  /// What value(c) is: the function itself, a lane has too many columns to keep.
  template <class Value>
  KOKKOS_FORCEINLINE_FUNCTION Value hold(std::int64_t, const Value& value) const {
    return value;
  }

  /// Sum of term(c), in term's own type, known to all lanes.
  template <class Term>
  KOKKOS_FORCEINLINE_FUNCTION auto sum(std::int64_t count, const Term& term) const {
    decltype(term(std::int64_t{0})) partial = 0;
#pragma unroll 4
    for (std::int64_t c = lane; c < count; c += width) partial += term(c);
    return add_up(partial);
  }

  /// Two sums in one walk: body(c, a, b) adds to a and b.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void sum_two(std::int64_t count, float& first, float& second,
                                           const Body& body) const {
    float a = 0;
    float b = 0;
    for (std::int64_t c = lane; c < count; c += width) body(c, a, b);
    first = add_up(a);
    second = add_up(b);
  }

  /// Largest term(c), known to all lanes; `least` without columns. NaN is passed over.
  template <class Term>
  KOKKOS_FORCEINLINE_FUNCTION float largest(std::int64_t count, float least, const Term& term) const {
    float found = least;
    for (std::int64_t c = lane; c < count; c += width) found = std::fmax(found, term(c));
#if defined(__CUDA_ARCH__)
    for (int apart = width / 2; apart > 0; apart /= 2)
      found = std::fmax(found, __shfl_xor_sync(0xffffffffU, found, apart));
#endif
    return found;
  }

  /// Other warps hide what it waits for.
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION void prefetch(const T*, std::int64_t) const {}

  /// body() by one lane.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void once(const Body& body) const {
    if (lane == 0) body();
  }

  /// What the lanes wrote before is seen by all of them after.
  KOKKOS_FORCEINLINE_FUNCTION void sync() const {
#if defined(__CUDA_ARCH__)
    __syncwarp();
#endif
  }

 private:
  /// The same bits in every lane, since a + b = b + a.
  template <class Value>
  KOKKOS_FORCEINLINE_FUNCTION static Value add_up(Value partial) {
#if defined(__CUDA_ARCH__)
    for (int apart = width / 2; apart > 0; apart /= 2)
      partial += __shfl_xor_sync(0xffffffffU, partial, apart);
#endif
    return partial;
  }
};

}  // namespace wan::kernels
