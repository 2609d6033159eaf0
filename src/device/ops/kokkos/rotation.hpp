#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/kokkos/row_kernels.hpp"
#include "device/ops/kokkos/storage.hpp"
#include "device/ops/rms_norm_rope.hpp"

// Rows as pairs of neighbouring columns, (2p, 2p + 1), that turn together.
namespace wan::kernels {

/// Heads of at most this size (checked where the kernels are launched).
inline constexpr std::int64_t most_pairs = 128;

/// The two halves of a pair, or on a GPU of a pack's pairs.
template <class Value>
struct Pair {
  Value even;
  Value odd;
};

/// A column, the even one of its pair (or the pack of such), and the pair's number in its head, which packs
/// need not know.
template <class Column>
struct PairAt {
  Column column;
  std::int64_t pair = 0;
};

template <class Row>
KOKKOS_FORCEINLINE_FUNCTION Pair<float> pair_of(const Row& row, std::int64_t c) {
  return {row(c), row(c + 1)};
}
template <class T>
KOKKOS_FORCEINLINE_FUNCTION void store_pair(T* at, std::int64_t c, const Pair<float>& pair) {
  store(at, c, pair.even);
  store(at, c + 1, pair.odd);
}
template <class Sums>
KOKKOS_FORCEINLINE_FUNCTION void add_pair(Sums& sums, int number, std::int64_t c, const Pair<float>& term) {
  sums.add(number, c, term.even);
  sums.add(number, c + 1, term.odd);
}

/// Where a token stands: frame, row, column.
struct Place {
  std::int32_t on_axis[3];
};

#if defined(WAN_CUDA_KERNELS)
template <int width>
KOKKOS_FORCEINLINE_FUNCTION Pack<2 * width> interleaved(const Pair<Pack<width>>& pair) {
  return make_pack<2 * width>(
      [&](int i) { return i % 2 == 0 ? pair.even.value[i / 2] : pair.odd.value[i / 2]; });
}
template <class Row, int width>
KOKKOS_FORCEINLINE_FUNCTION auto pair_of(const Row& row, Columns<width> c) {
  const auto pack = row(c);
  return Pair<Pack<width / 2>>{make_pack<width / 2>([&](int i) { return pack.value[2 * i]; }),
                               make_pack<width / 2>([&](int i) { return pack.value[2 * i + 1]; })};
}
template <class T, int width>
KOKKOS_FORCEINLINE_FUNCTION void store_pair(T* at, Columns<width> c, const Pair<Pack<width / 2>>& pair) {
  store(at, c, interleaved(pair));
}
template <class Sums, int width>
KOKKOS_FORCEINLINE_FUNCTION void add_pair(Sums& sums, int number, Columns<width> c,
                                          const Pair<Pack<width / 2>>& term) {
  sums.add(number, c, interleaved(term));
}

/// The rotation of a head's pairs at one token. A lane's packs lie whole heads apart (heads_in_packs) and
/// turn alike: it holds their angles. A lane of single columns looks them up in the table, which stays in the
/// caches.
class Angles {
 public:
  KOKKOS_FORCEINLINE_FUNCTION void gather(const Lanes&, const float* cosine, const float* sine,
                                          const Place& place, std::int64_t pairs) {
    begin(place, pairs);
    cosine_ = cosine;
    sine_ = sine;
  }
  KOKKOS_FORCEINLINE_FUNCTION void gather(const PackLanes& lanes, const float* cosine, const float* sine,
                                          const Place& place, std::int64_t pairs) {
    begin(place, pairs);
    // A power of two, since it divides the pairs of a warp's packs.
    const std::int32_t pair = lanes.lane() * pairs_at_once & (pairs_ - 1);
    held_cosine_ = look_up(cosine, pair);
    held_sine_ = look_up(sine, pair);
  }

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION float cosine(const PairAt<std::int64_t>& at) const {
    return cosine_[row(static_cast<std::int32_t>(at.pair)) * pairs_ + at.pair];
  }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION float sine(const PairAt<std::int64_t>& at) const {
    return sine_[row(static_cast<std::int32_t>(at.pair)) * pairs_ + at.pair];
  }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Pack<pack_width / 2> cosine(
      const PairAt<Columns<pack_width>>&) const {
    return held_cosine_;
  }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Pack<pack_width / 2> sine(
      const PairAt<Columns<pack_width>>&) const {
    return held_sine_;
  }

 private:
  static constexpr int pairs_at_once = pack_width / 2;

  KOKKOS_FORCEINLINE_FUNCTION void begin(const Place& place, std::int64_t pairs) {
    frame_ = place.on_axis[0];
    line_ = place.on_axis[1];
    column_ = place.on_axis[2];
    pairs_ = static_cast<std::int32_t>(pairs);
  }
  /// The row of the table that turns a pair.
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION std::int32_t row(std::int32_t pair) const {
    const std::int32_t spatial = pairs_ / 3;
    return pair < pairs_ - 2 * spatial ? frame_ : pair < pairs_ - spatial ? line_ : column_;
  }
  /// A pack's pairs belong to one axis or two neighbouring ones.
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Pack<pairs_at_once> look_up(const float* table,
                                                                        std::int32_t pair) const {
    const std::int32_t last = pair + pairs_at_once - 1;
    const auto of_first = load(table, Columns<pairs_at_once>{row(pair) * pairs_ + pair});
    const std::int32_t spatial = pairs_ / 3;
    const std::int32_t border = last < pairs_ - spatial ? pairs_ - 2 * spatial : pairs_ - spatial;
    if (pair >= border || last < border) return of_first;
    const auto of_last = load(table, Columns<pairs_at_once>{row(last) * pairs_ + pair});
    return make_pack<pairs_at_once>([&](int i) {
      const float first = of_first.value[i];
      const float second = of_last.value[i];
      return pair + i < border ? first : second;
    });
  }

  const float* cosine_;
  const float* sine_;
  std::int32_t frame_, line_, column_;
  std::int32_t pairs_;
  Pack<pairs_at_once> held_cosine_;
  Pack<pairs_at_once> held_sine_;
};
#else
/// The rotation of a head's pairs at one token, gathered: each axis turns its own run of pairs.
class Angles {
 public:
  void gather(const Lanes& lanes, const float* cosine, const float* sine, const Place& place,
              std::int64_t pairs) {
    const std::int64_t spatial = pairs / 3;
    const std::int64_t runs[4] = {0, pairs - 2 * spatial, pairs - spatial, pairs};
    for (int axis = 0; axis < 3; ++axis) {
      const std::int64_t first = runs[axis];
      const float* const from_cosine = cosine + place.on_axis[axis] * pairs + first;
      const float* const from_sine = sine + place.on_axis[axis] * pairs + first;
      float* const to_cosine = cosine_ + first;
      float* const to_sine = sine_ + first;
      lanes.each(runs[axis + 1] - first, [=](std::int64_t pair) {
        to_cosine[pair] = from_cosine[pair];
        to_sine[pair] = from_sine[pair];
      });
    }
  }
  [[nodiscard]] float cosine(const PairAt<std::int64_t>& at) const { return cosine_[at.pair]; }
  [[nodiscard]] float sine(const PairAt<std::int64_t>& at) const { return sine_[at.pair]; }

 private:
  float cosine_[most_pairs];
  float sine_[most_pairs];
};
#endif

struct Rotation {
  const float* cosine;  ///< none: the identity
  const float* sine;
  const std::int32_t* position;
  std::int64_t pairs;  ///< per head

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Place place(std::int64_t token) const {
    Place out{};
    if (cosine == nullptr) return out;
    for (int axis = 0; axis < 3; ++axis) out.on_axis[axis] = position[3 * token + axis];
    return out;
  }
  /// Undefined without a table.
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void angles(const AnyLanes& lanes, const Place& place, Angles& out) const {
    if (cosine != nullptr) out.gather(lanes, cosine, sine, place, pairs);
  }

  /// body(pair at) for each pair of a row of `columns`.
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each_pair(const Lanes& lanes, std::int64_t columns,
                                             const Body& body) const {
    for (std::int64_t head = 0; head < columns; head += 2 * pairs) {
      lanes.each(pairs, [&](std::int64_t pair) { body(PairAt<std::int64_t>{head + 2 * pair, pair}); });
    }
  }
  /// out[i] = the sum of term(pair at, i) over a row, known to all lanes.
  template <int n, class Term>
  KOKKOS_FORCEINLINE_FUNCTION void sum_pairs(const Lanes& lanes, std::int64_t columns, float (&out)[n],
                                             const Term& term) const {
    for (int i = 0; i < n; ++i) {
      out[i] = 0;
      for (std::int64_t head = 0; head < columns; head += 2 * pairs) {
        out[i] += lanes.sum(pairs, [&](std::int64_t pair) {
          return term(PairAt<std::int64_t>{head + 2 * pair, pair}, i);
        });
      }
    }
  }

#if defined(WAN_CUDA_KERNELS)
  template <class Body>
  KOKKOS_FORCEINLINE_FUNCTION void each_pair(const PackLanes& lanes, std::int64_t columns,
                                             const Body& body) const {
    lanes.each(columns, [&](Columns<pack_width> c) { body(PairAt<Columns<pack_width>>{c}); });
  }
  template <int n, class Term>
  KOKKOS_FORCEINLINE_FUNCTION void sum_pairs(const PackLanes& lanes, std::int64_t columns, float (&out)[n],
                                             const Term& term) const {
    lanes.sum_each(columns, out,
                   [&](Columns<pack_width> c, int i) { return term(PairAt<Columns<pack_width>>{c}, i); });
  }
#endif
};

[[nodiscard]] inline Rotation rotation(const RopeTable& rope, std::int64_t head_dim) {
  if (rope && head_dim > 2 * most_pairs) {
    throw InternalError(
        cat("[rms_norm_rope] head_dim: found ", head_dim, ", allowed up to ", 2 * most_pairs));
  }
  return {rope.cosine.as<const float>(), rope.sine.as<const float>(), rope.position.as<const std::int32_t>(),
          head_dim / 2};
}

/// Whether a pack's pairs all lie in one head and touch at most two axes, the packs of a lane, 32 packs or a
/// multiple of that apart, lie at the same place in their heads, and angles can be taken as packs.
[[nodiscard]] inline bool heads_in_packs(const RopeTable& rope, std::int64_t head_dim) {
  return !rope || (head_dim % pack_width == 0 && 32 * pack_width % head_dim == 0 &&
                   head_dim / 2 / 3 >= pack_width / 2 - 1 &&
                   in_packs_of<pack_width / 2>(rope.cosine.as<float>(), rope.sine.as<float>()));
}

}  // namespace wan::kernels
