#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>

#include "device/ops/kokkos/storage.hpp"

namespace wan::kernels {

/// The lanes that work on one row together: a thread of a CPU with its SIMD lanes.
struct Lanes {
  /// body(c) for each c < count, in any order.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each(std::int64_t count, const Body& body) const {
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) body(c);
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

  /// Sum of term(c), in term's own type, known to all lanes. Kept in `width` partial sums, which the compiler
  /// may vectorise without leave to reorder what is written.
  template <class Term>
  KOKKOS_FORCEINLINE_FUNCTION auto sum(std::int64_t count, const Term& term) const {
    using Value = decltype(term(std::int64_t{0}));
    Value partial[width] = {};
    std::int64_t c = 0;
    for (; c + width <= count; c += width) {
#pragma omp simd
      for (int lane = 0; lane < width; ++lane) partial[lane] += term(c + lane);
    }
    for (int lane = 0; c + lane < count; ++lane) partial[lane] += term(c + lane);
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
    float a[width] = {};
    float b[width] = {};
    std::int64_t c = 0;
    for (; c + width <= count; c += width) {
#pragma omp simd
      for (int lane = 0; lane < width; ++lane) body(c + lane, a[lane], b[lane]);
    }
    for (int lane = 0; c + lane < count; ++lane) body(c + lane, a[lane], b[lane]);
    first = add_up(a);
    second = add_up(b);
  }

  /// body() by one lane.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void once(const Body& body) const {
    body();
  }

  /// What the lanes wrote before is seen by all of them after.
  KOKKOS_FORCEINLINE_FUNCTION void sync() const {}

 private:
  static constexpr int width = 16;

  template <class Value>
  KOKKOS_FORCEINLINE_FUNCTION static Value add_up(Value* partial) {
    for (int half = width / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; ++lane) partial[lane] += partial[lane + half];
    }
    return partial[0];
  }
};

}  // namespace wan::kernels
