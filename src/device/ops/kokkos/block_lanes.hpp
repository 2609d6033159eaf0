#pragma once
#include "device/ops/kokkos/pack.hpp"

namespace wan::kernels {

/// Lanes that a block may have, and the columns that it can hold.
inline constexpr int most_lanes = 320;
inline constexpr std::int64_t most_packed_columns = most_lanes * lane_packs * pack_width;

/// A lane's columns of a row, in registers as they lie in memory.
template <class T>
struct HeldRow {
  StoredPack<T, pack_width> pack[lane_packs];

  KOKKOS_FORCEINLINE_FUNCTION Pack<pack_width> operator()(Columns<pack_width> c) const {
    return wide(pack[c.slot]);
  }
};

/// The lanes that work on one row together: a block of a GPU, each lane with a few packs of columns, so that
/// what it holds stays in registers; neighbouring lanes have neighbouring packs. Same members as a warp's
/// lanes; the bodies take Columns. Every lane of the block must make the calls that add up.
class BlockLanes {
 public:
  KOKKOS_FORCEINLINE_FUNCTION BlockLanes(int lane, int lanes) : lane_(lane), lanes_(lanes) {}

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION int lane() const { return lane_; }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION int size() const { return lanes_; }
  /// The lane's pack number `slot`, which may lie beyond the row.
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Columns<pack_width> own(int slot) const {
    return {(std::int64_t{slot} * lanes_ + lane_) * pack_width, slot};
  }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each(std::int64_t count, const Body& body) const {
#pragma unroll
    for (int slot = 0; slot < lane_packs; ++slot) {
      if (own(slot).first < count) body(own(slot));
    }
  }

  /// The lane's columns of a row, zero where there is none.
  template <class T>
  using Row = HeldRow<T>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> hold(std::int64_t count, const T* row) const {
    Row<T> out{};
    if (row == nullptr) return out;
    each(count, [&](Columns<pack_width> c) { out.pack[c.slot] = raw(row, c); });
    return out;
  }

  /// Stores value(c); the lane's columns as they were rounded.
  template <class T, class Value>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> write(std::int64_t count, T* row, const Value& value) const {
    Row<T> out{};
    each(count, [&](Columns<pack_width> c) {
      out.pack[c.slot] = narrow<T>(value(c));
      *reinterpret_cast<StoredPack<T, pack_width>*>(row + c.first) = out.pack[c.slot];
    });
    return out;
  }

  template <class Term>
  KOKKOS_FORCEINLINE_FUNCTION float sum(std::int64_t count, const Term& term) const {
    Pack<pack_width> partial{};
    each(count, [&](Columns<pack_width> c) { partial += term(c); });
    float out[1] = {total(partial)};
    add_up(out);
    return out[0];
  }

  template <int n, class Term>
  KOKKOS_FORCEINLINE_FUNCTION void sum_each(std::int64_t count, float (&out)[n], const Term& term) const {
#pragma unroll
    for (int i = 0; i < n; ++i) out[i] = 0.0F;
    each(count, [&](Columns<pack_width> c) {
#pragma unroll
      for (int i = 0; i < n; ++i) out[i] += total(term(c, i));
    });
    add_up(out);
  }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void sum_two(std::int64_t count, float& first, float& second,
                                           const Body& body) const {
    Pack<pack_width> a{};
    Pack<pack_width> b{};
    each(count, [&](Columns<pack_width> c) { body(c, a, b); });
    float partial[2] = {total(a), total(b)};
    add_up(partial);
    first = partial[0];
    second = partial[1];
  }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void once(const Body& body) const {
    if (lane_ == 0) body();
  }

 private:
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
#pragma unroll
      for (int i = 0; i < n; ++i) of_warp[turn_][i][lane_ / 32] = value[i];
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < n; ++i) value[i] = lane_ % 32 < lanes_ / 32 ? of_warp[turn_][i][lane_ % 32] : 0.0F;
    add_up_warp(value);
#else
    static_cast<void>(value);
#endif
  }

#if defined(__CUDA_ARCH__)
  template <int n>
  KOKKOS_FORCEINLINE_FUNCTION static void add_up_warp(float (&value)[n]) {
#pragma unroll
    for (int apart = 16; apart > 0; apart /= 2) {
#pragma unroll
      for (int i = 0; i < n; ++i) value[i] += __shfl_xor_sync(0xffffffffU, value[i], apart);
    }
  }
#endif

  int lane_;
  int lanes_;  ///< a multiple of 32
  mutable int turn_ = 0;
};

}  // namespace wan::kernels
