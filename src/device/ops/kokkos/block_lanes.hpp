#pragma once
#include "device/ops/kokkos/pack.hpp"

namespace wan::kernels {

/// Columns that a block can hold.
inline constexpr std::int64_t most_packed_columns = 1024 * pack_width;

/// The lanes that work on one row together: a block of a GPU, each lane with one pack of columns, so that
/// what it holds stays in registers. Same members as a warp's lanes; the bodies take Columns. Every lane of
/// the block must make the calls that add up.
class BlockLanes {
 public:
  KOKKOS_FORCEINLINE_FUNCTION BlockLanes(int lane, int lanes)
      : lane_(lane), lanes_(lanes), own_{std::int64_t{lane} * pack_width} {}

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each(std::int64_t count, const Body& body) const {
    if (own_.first < count) body(own_);
  }

  /// What value(c) is, worked out once.
  template <class Value>
  KOKKOS_FORCEINLINE_FUNCTION auto hold(std::int64_t count, const Value& value) const {
    Held<decltype(value(Columns<pack_width>{}))> out{};
    if (own_.first < count) out.value = value(own_);
    return out;
  }

  template <class Term>
  KOKKOS_FORCEINLINE_FUNCTION float sum(std::int64_t count, const Term& term) const {
    float partial[1] = {own_.first < count ? total(term(own_)) : 0.0F};
    add_up(partial);
    return partial[0];
  }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void sum_two(std::int64_t count, float& first, float& second,
                                           const Body& body) const {
    Pack<pack_width> a{};
    Pack<pack_width> b{};
    if (own_.first < count) body(own_, a, b);
    float partial[2] = {total(a), total(b)};
    add_up(partial);
    first = partial[0];
    second = partial[1];
  }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void once(const Body& body) const {
    if (lane_ == 0) body();
  }

  /// Asks for a row that will be read soon.
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION void prefetch(const T* row, std::int64_t count) const {
#if defined(__CUDA_ARCH__)
    if (own_.first < count) asm volatile("prefetch.global.L2 [%0];" ::"l"(row + own_.first));
#else
    static_cast<void>(row);
    static_cast<void>(count);
#endif
  }

 private:
  template <class Value>
  struct Held {
    Value value;
    template <class C>
    KOKKOS_FORCEINLINE_FUNCTION const Value& operator()(C) const {
      return value;
    }
  };

  /// The same bits in every lane: warps first, then their sums, in a fixed order.
  template <int n>
  KOKKOS_FORCEINLINE_FUNCTION void add_up(float (&value)[n]) const {
#if defined(__CUDA_ARCH__)
    add_up_warp(value);
    if (lanes_ <= 32) return;
    // Two places in turn: who writes to one again has seen all lanes pass the barrier of the other.
    __shared__ float of_warp[2][n][32];
    turn_ ^= 1;
    if (lane_ % 32 == 0) {
      for (int i = 0; i < n; ++i) of_warp[turn_][i][lane_ / 32] = value[i];
    }
    __syncthreads();
    for (int i = 0; i < n; ++i) value[i] = lane_ % 32 < lanes_ / 32 ? of_warp[turn_][i][lane_ % 32] : 0.0F;
    add_up_warp(value);
#else
    static_cast<void>(value);
#endif
  }

#if defined(__CUDA_ARCH__)
  template <int n>
  KOKKOS_FORCEINLINE_FUNCTION static void add_up_warp(float (&value)[n]) {
    for (int apart = 16; apart > 0; apart /= 2) {
      for (int i = 0; i < n; ++i) value[i] += __shfl_xor_sync(0xffffffffU, value[i], apart);
    }
  }
#endif

  int lane_;
  int lanes_;  ///< a multiple of 32
  Columns<pack_width> own_;
  mutable int turn_ = 0;
};

}  // namespace wan::kernels
