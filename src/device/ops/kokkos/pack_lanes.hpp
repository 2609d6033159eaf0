#pragma once
#include "device/ops/kokkos/staged_rows.hpp"

// The lanes of a GPU that work on one row together and take it in packs: a warp, or a block whose lanes keep
// sums over rows in registers. Neighbouring lanes have neighbouring packs. Same members as the lanes that
// take single columns; bodies take Columns. Every lane must make the calls that add up.
namespace wan::kernels {

/// A row in memory that many lanes read, such as parameters: it stays in the caches.
template <class T>
struct PackView {
  const T* at;

  KOKKOS_FORCEINLINE_FUNCTION Pack<pack_width> operator()(Columns<pack_width> c) const { return load(at, c); }
};

/// What both have in common; Group has lane(), size(), each() and add_up().
template <class Group>
class PackLanes {
 public:
  template <class T>
  using Row = PackView<T>;
  template <class T>
  KOKKOS_FORCEINLINE_FUNCTION Row<T> hold(std::int64_t, const T* row) const {
    return {kept(row)};
  }

  /// Stores value(c); the row as it was rounded, which takes the place of `held`, of which value(c) is the
  /// last reader.
  template <class T, class Value>
  KOKKOS_FORCEINLINE_FUNCTION StagedRow<T> write(std::int64_t count, const StagedRow<T>& held, T* row,
                                                 const Value& value) const {
    T* const to = kept(row);
    group().each(count, [&](Columns<pack_width> c) {
      const auto stored = narrow<T>(value(c));
      store(to, c, stored);
      held.put(c, stored);
    });
    return held;
  }

  template <class Term>
  KOKKOS_FORCEINLINE_FUNCTION float sum(std::int64_t count, const Term& term) const {
    Pack<pack_width> partial{};
    group().each(count, [&](Columns<pack_width> c) { partial += term(c); });
    float out[1] = {total(partial)};
    group().add_up(out);
    return out[0];
  }

  template <int n, class Term>
  KOKKOS_FORCEINLINE_FUNCTION void sum_each(std::int64_t count, float (&out)[n], const Term& term) const {
#pragma unroll
    for (int i = 0; i < n; ++i) out[i] = 0.0F;
    group().each(count, [&](Columns<pack_width> c) {
#pragma unroll
      for (int i = 0; i < n; ++i) out[i] += total(term(c, i));
    });
    group().add_up(out);
  }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void sum_two(std::int64_t count, float& first, float& second,
                                           const Body& body) const {
    Pack<pack_width> a{};
    Pack<pack_width> b{};
    group().each(count, [&](Columns<pack_width> c) { body(c, a, b); });
    float partial[2] = {total(a), total(b)};
    group().add_up(partial);
    first = partial[0];
    second = partial[1];
  }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void once(const Body& body) const {
    if (group().lane() == 0) body();
  }

 private:
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION const Group& group() const {
    return static_cast<const Group&>(*this);
  }
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

/// A warp, with rows of any width and no barriers.
class WarpPacks : public PackLanes<WarpPacks> {
 public:
  KOKKOS_FORCEINLINE_FUNCTION explicit WarpPacks(int lane) : lane_(lane) {}

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION int lane() const { return lane_; }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION int size() const { return 32; }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each(std::int64_t count, const Body& body) const {
    const int end = static_cast<int>(count);
#pragma unroll 2
    for (int first = lane_ * pack_width; first < end; first += 32 * pack_width)
      body(Columns<pack_width>{first});
  }

  template <int n>
  KOKKOS_FORCEINLINE_FUNCTION void add_up(float (&value)[n]) const {
    add_up_warp(value);
  }

 private:
  int lane_;
};

/// Packs of one row that a lane of a block has, and lanes that a block may have: with more, two blocks of the
/// widest rows would not find registers on an SM.
inline constexpr int lane_packs = 2;
inline constexpr int most_lanes = 320;
inline constexpr std::int64_t most_block_columns = most_lanes * lane_packs * pack_width;

/// A block, a lane of which has the same few packs of every row.
class BlockPacks : public PackLanes<BlockPacks> {
 public:
  KOKKOS_FORCEINLINE_FUNCTION BlockPacks(int lane, int lanes) : lane_(lane), lanes_(lanes) {}

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION int lane() const { return lane_; }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION int size() const { return lanes_; }

  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each(std::int64_t count, const Body& body) const {
    const int end = static_cast<int>(count);
#pragma unroll
    for (int slot = 0; slot < lane_packs; ++slot) {
      const int first = (slot * lanes_ + lane_) * pack_width;
      if (first < end) body(Columns<pack_width>{first, slot});
    }
  }

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

 private:
  int lane_;
  int lanes_;  ///< a multiple of 32
  mutable int turn_ = 0;
};

}  // namespace wan::kernels
