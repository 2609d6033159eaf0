#pragma once
#include "device/ops/kokkos/pack.hpp"

// The lanes of a GPU's block, which work on one row together and take it in packs: all have equally many,
// neighbouring lanes neighbouring ones, and the same of every row. Same members as the lanes that take single
// columns; bodies take Columns, and `count` is always the row's width. Every lane must make the calls that
// add up.
namespace wan::kernels {

/// Packs of one row that a lane has, and lanes that a block may have: with more, two blocks of the widest
/// rows would not find registers on an SM.
inline constexpr int lane_packs = 2;
inline constexpr int most_lanes = 320;

/// Lanes of the block that takes a row of `cols` columns; 0 if no block does. That no lane lacks a pack saves
/// a norm a fifth of its instructions.
[[nodiscard]] inline int lanes_of_row(std::int64_t cols) {
  constexpr std::int64_t of_lane = lane_packs * pack_width;
  return cols % (32 * of_lane) == 0 && cols <= most_lanes * of_lane ? static_cast<int>(cols / of_lane) : 0;
}

/// A row in memory that many lanes read, such as parameters: it stays in the caches.
template <class T>
struct PackView {
  const T* at;

  KOKKOS_FORCEINLINE_FUNCTION Pack<pack_width> operator()(Columns<pack_width> c) const { return load(at, c); }
};

/// A row of which each lane has its packs in registers.
template <class T>
struct HeldRow {
  using Stored = StoredPack<std::remove_const_t<T>, pack_width>;

  Stored pack[lane_packs];

  KOKKOS_FORCEINLINE_FUNCTION Pack<pack_width> operator()(Columns<pack_width> c) const {
    return wide(pack[c.slot]);
  }
  KOKKOS_FORCEINLINE_FUNCTION void put(Columns<pack_width> c, const Stored& stored) { pack[c.slot] = stored; }
};

/// Sums over `lanes` neighbouring lanes of a warp, with the same bits in each, since a + b = b + a.
template <int lanes = 32, int n>
KOKKOS_FORCEINLINE_FUNCTION void add_up_warp(float (&value)[n]) {
#if defined(__CUDA_ARCH__)
#pragma unroll
  for (int apart = lanes / 2; apart > 0; apart /= 2) {
#pragma unroll
    for (int i = 0; i < n; ++i) value[i] += __shfl_xor_sync(0xffffffffU, value[i], apart);
  }
#else
  static_cast<void>(value);
#endif
}

class PackLanes {
 public:
  KOKKOS_FORCEINLINE_FUNCTION PackLanes(int lane, int lanes) : lane_(lane), lanes_(lanes) {}
  // A block has one, which counts the turns of its shared sums.
  PackLanes(const PackLanes&) = delete;
  PackLanes& operator=(const PackLanes&) = delete;

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION int lane() const { return lane_; }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each(std::int64_t, const Body& body) const {
#pragma unroll
    for (int slot = 0; slot < lane_packs; ++slot)
      body(Columns<pack_width>{(slot * lanes_ + lane_) * pack_width, slot});
  }

  template <class T>
  using Row = PackView<T>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> hold(std::int64_t, const T* row) const {
    return {kept(row)};
  }
  template <class T>
  using Raised = RaisedRow<Row<T>>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Raised<T> hold_raised(std::int64_t count, const T* row, float base) const {
    return {hold(count, row), base};
  }

  /// Stores value(c); the row as it was rounded, in the place of `held`, of which value(c) is the last
  /// reader.
  template <class T, class Held, class Value>
  KOKKOS_FORCEINLINE_FUNCTION Held write(std::int64_t count, Held held, T* row, const Value& value) const {
    T* const to = kept(row);
    each(count, [&](Columns<pack_width> c) {
      const auto stored = narrow<T>(value(c));
      store(to, c, stored);
      held.put(c, stored);
    });
    return held;
  }

  template <class Term>
  KOKKOS_FORCEINLINE_FUNCTION float sum(std::int64_t count, const Term& term) const {
    Pack<pack_width> partial{};
    each(count, [&](Columns<pack_width> c) { partial = c.slot == 0 ? term(c) : partial + term(c); });
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
    add_up_warp(value);
#if defined(__CUDA_ARCH__)
    if (lanes_ <= 32) return;
    // Two places in turn: who writes to one again has seen all lanes pass the barrier of the other.
    constexpr int most_warps = 16;
    static_assert(most_lanes <= 32 * most_warps);
    __shared__ float of_warp[2][n][most_warps];
    turn_ ^= 1;
    if (lane_ % 32 == 0) {
#pragma unroll
      for (int i = 0; i < n; ++i) of_warp[turn_][i][lane_ / 32] = value[i];
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < n; ++i) {
      const int warp = lane_ % most_warps;
      value[i] = warp < lanes_ / 32 ? of_warp[turn_][i][warp] : 0.0F;
    }
    add_up_warp<most_warps>(value);
#endif
  }

  int lane_;
  int lanes_;  ///< a multiple of 32
  mutable int turn_ = 0;
};

/// hold() loads what many rows have in common into registers; a row that is not there is zero.
class ParameterLanes {
 public:
  KOKKOS_FORCEINLINE_FUNCTION explicit ParameterLanes(const PackLanes& lanes) : lanes_(lanes) {}

  template <class T>
  using Row = HeldRow<T>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> hold(std::int64_t count, const T* row) const {
    Row<T> out{};
    if (row != nullptr) lanes_.each(count, [&](Columns<pack_width> c) { out.put(c, raw(row, c)); });
    return out;
  }
  template <class T>
  using Raised = HeldRow<float>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Raised<T> hold_raised(std::int64_t count, const T* row, float base) const {
    Raised<T> out{};
    lanes_.each(count, [&](Columns<pack_width> c) { out.put(c, narrow<float>(base + load(row, c))); });
    return out;
  }

 private:
  const PackLanes& lanes_;
};

}  // namespace wan::kernels
