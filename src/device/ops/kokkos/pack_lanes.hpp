#pragma once
#include "device/ops/kokkos/pack.hpp"
#include "device/ops/kokkos/shared_memory.hpp"

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

/// Sums over the lanes of a warp, with the same bits in each, since a + b = b + a.
template <int n>
KOKKOS_FORCEINLINE_FUNCTION void add_up_warp(float (&value)[n]) {
#if defined(__CUDA_ARCH__)
#pragma unroll
  for (int apart = 16; apart > 0; apart /= 2) {
#pragma unroll
    for (int i = 0; i < n; ++i) value[i] += __shfl_xor_sync(0xffffffffU, value[i], apart);
  }
#else
  static_cast<void>(value);
#endif
}

class PackLanes {
 public:
  /// The block's only one, made by all its lanes.
  KOKKOS_FORCEINLINE_FUNCTION PackLanes(int lane, int lanes) : lane_(lane), lanes_(lanes) {
#if defined(__CUDA_ARCH__)
    // Aligned so that an exclusive or leads from one turn's places to the other's.
    __shared__ __align__(2 * turn_bytes) float places[2 * most_sums * most_warps];
    sums_ = kept(shared_address(places));
    for (int place = lane; place < 2 * most_sums * most_warps; place += lanes) {
      if (place % most_warps >= lanes / 32) places[place] = 0.0F;
    }
#endif
  }
  PackLanes(const PackLanes&) = delete;
  PackLanes& operator=(const PackLanes&) = delete;

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION int lane() const {
    return lane_;
  }

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
    static_assert(n <= most_sums);
    if (lanes_ <= 32) return;
    // Two turns' places: who writes to one's again has seen all lanes pass the barrier of the other.
    sums_ ^= turn_bytes;
    if (lane_ % 32 == 0) {
#pragma unroll
      for (int i = 0; i < n; ++i) store_word(place(i, lane_ / 32), __float_as_uint(value[i]));
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < n; ++i) {
      value[i] = sum_of_four(place(i, 0));
#pragma unroll
      for (int warp = 4; warp < most_lanes / 32; warp += 4) {
        if (32 * warp < lanes_) value[i] += sum_of_four(place(i, warp));
      }
    }
#endif
  }

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION SharedAddress place(int sum, int warp) const {
    return sums_ + static_cast<SharedAddress>(sum * most_warps + warp) * sizeof(float);
  }
  /// Where there is no warp, a place holds zero.
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION static float sum_of_four(SharedAddress at) {
    const Piece four = load_shared(at);
    return (float_of_bits(four.word[0]) + float_of_bits(four.word[1])) +
           (float_of_bits(four.word[2]) + float_of_bits(four.word[3]));
  }

  static constexpr int most_sums = 2;
  static constexpr int most_warps = 16;
  static_assert(most_lanes <= 32 * most_warps);
  static constexpr SharedAddress turn_bytes = most_sums * most_warps * sizeof(float);

  int lane_;
  int lanes_;  ///< a multiple of 32
  mutable SharedAddress sums_ = 0;
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
