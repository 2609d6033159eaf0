#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>

#include "device/ops/kokkos/storage.hpp"

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

  /// A row of which every lane reads its columns again and again: it has too many to keep.
  template <class T>
  using Row = RowView<T>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> hold(std::int64_t, const T* row) const {
    return {row};
  }
  template <class T>
  using Raised = RaisedRow<Row<T>>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Raised<T> hold_raised(std::int64_t count, const T* row, float base) const {
    return {hold(count, row), base};
  }

  /// Stores value(c) for each c < count; the row as it was rounded, which each lane reads where it wrote.
  /// Where lanes hold rows elsewhere it takes the place of the row given, of which value(c) is the last
  /// reader.
  template <class T, class Value>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> write(std::int64_t count, const Row<T>&, T* row,
                                           const Value& value) const {
    each(count, [=](std::int64_t c) { store(row, c, value(c)); });
    return {row};
  }

  /// Sum of term(c), in term's own type, known to all lanes.
  template <class Term>
  KOKKOS_FORCEINLINE_FUNCTION auto sum(std::int64_t count, const Term& term) const {
    decltype(term(std::int64_t{0})) partial = 0;
#pragma unroll 4
    for (std::int64_t c = lane; c < count; c += width) partial += term(c);
    return add_up(partial);
  }

  /// out[i] = the sum of term(c, i), known to all lanes.
  template <int n, class Term>
  KOKKOS_FORCEINLINE_FUNCTION void sum_each(std::int64_t count, float (&out)[n], const Term& term) const {
    for (int i = 0; i < n; ++i) out[i] = sum(count, [&](std::int64_t c) { return term(c, i); });
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
