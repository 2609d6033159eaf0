#include <cmath>

#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/rotation.hpp"
#include "device/ops/kokkos/row_sums.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

template <class AnyLanes, class X>
KOKKOS_FORCEINLINE_FUNCTION float sum_squares(const AnyLanes& lanes, const X* x, std::int64_t channels) {
  return lanes.sum(channels, [=](auto c) { return load(x, c) * load(x, c); });
}

template <class X, class Y, class W>
struct Forward {
  std::int64_t channels;
  float width;
  float eps;
  Matrix<X> x;
  Matrix<Y> y;
  const W* weight;
  Rotation rotate;
  const float* reduced;
  float* rstd;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token) const {
    const X* const in = x.row(token);
    Y* const out = y.row(token);
    const W* const w = weight;
    const float sum = reduced != nullptr ? reduced[token] : sum_squares(lanes, in, channels);
    const float r = 1.0F / std::sqrt(sum / width + eps);
    if (rotate.cosine == nullptr) {
      lanes.each(channels, [=](auto c) { store(out, c, load(in, c) * r * load(w, c)); });
    } else {
      Angles angles;
      rotate.angles(lanes, token, angles);
      rotate.each_pair(lanes, channels, [&](const auto& at) {
        const auto value = load_pair(in, at.column);
        const auto scale = load_pair(w, at.column);
        const auto even = value.even * r * scale.even;
        const auto odd = value.odd * r * scale.odd;
        const auto cosine = angles.cosine(at);
        const auto sine = angles.sine(at);
        store_pair(out, at.column, {even * cosine - odd * sine, even * sine + odd * cosine});
      });
    }
    if (rstd == nullptr) return;
    float* const to = rstd + token;
    lanes.once([=] { *to = r; });
  }
};

template <class X>
struct PartialForward {
  std::int64_t channels;
  Matrix<X> x;
  float* out;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token) const {
    const float sum = sum_squares(lanes, x.row(token), channels);
    float* const to = out + token;
    lanes.once([=] { *to = sum; });
  }
};

/// sum over the row of (R(-theta) dy) weight x. With a rotation, R(theta) (weight x) . dy is the same
/// product.
template <class AnyLanes, class G, class X, class W>
KOKKOS_FORCEINLINE_FUNCTION float backward_dot(const AnyLanes& lanes, const Rotation& rotate,
                                               const Angles& angles, std::int64_t channels, const G* g,
                                               const X* in, const W* w) {
  if (rotate.cosine == nullptr) {
    return lanes.sum(channels, [=](auto c) { return load(g, c) * load(w, c) * load(in, c); });
  }
  return rotate.sum_pairs(lanes, channels, [&](const auto& at) {
    const auto slope = load_pair(g, at.column);
    const auto value = load_pair(in, at.column);
    const auto scale = load_pair(w, at.column);
    const auto even = value.even * scale.even;
    const auto odd = value.odd * scale.odd;
    const auto cosine = angles.cosine(at);
    const auto sine = angles.sine(at);
    return slope.even * (even * cosine - odd * sine) + slope.odd * (even * sine + odd * cosine);
  });
}

template <class G, class X, class W>
struct PartialBackward {
  std::int64_t channels;
  Matrix<G> dy;
  Matrix<X> x;
  const W* weight;
  Rotation rotate;
  float* out;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token) const {
    Angles angles;
    if (rotate.cosine != nullptr) rotate.angles(lanes, token, angles);
    const float dot = backward_dot(lanes, rotate, angles, channels, dy.row(token), x.row(token), weight);
    float* const to = out + token;
    lanes.once([=] { *to = dot; });
  }
};

/// dx, and the sum of (R(-theta) dy) x rstd for the weight. Both in one walk, since dx may be dy.
template <class G, class X, class D, class W>
struct Backward {
  std::int64_t channels;
  float width;
  Matrix<G> dy;
  Matrix<X> x;
  Matrix<D> dx;
  const W* weight;
  const float* rstd;
  Rotation rotate;
  const float* reduced;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void prefetch(const AnyLanes& lanes, std::int64_t token) const {
    lanes.prefetch(dy.row(token), channels);
    lanes.prefetch(x.row(token), channels);
  }

  template <class AnyLanes, class Sums>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, std::int64_t,
                                              Sums& sums) const {
    const G* const g = dy.row(token);
    const X* const in = x.row(token);
    const W* const w = weight;
    D* const out = dx.row(token);
    const float r = rstd[token];
    Angles angles;
    if (rotate.cosine != nullptr) rotate.angles(lanes, token, angles);
    const float dot =
        reduced != nullptr ? reduced[token] : backward_dot(lanes, rotate, angles, channels, g, in, w);
    const float shrink = r * r * dot / width;
    if (rotate.cosine == nullptr) {
      lanes.each(channels, [&](auto c) {
        const auto u = load(g, c);
        const auto value = load(in, c);
        sums.add(0, c, u * value * r);
        store(out, c, r * (u * load(w, c) - value * shrink));
      });
    } else {
      rotate.each_pair(lanes, channels, [&](const auto& at) {
        const auto slope = load_pair(g, at.column);
        const auto value = load_pair(in, at.column);
        const auto scale = load_pair(w, at.column);
        const auto cosine = angles.cosine(at);
        const auto sine = angles.sine(at);
        const auto even = slope.even * cosine + slope.odd * sine;
        const auto odd = slope.odd * cosine - slope.even * sine;
        add_pair(sums, 0, at.column, {even * value.even * r, odd * value.odd * r});
        store_pair(
            out, at.column,
            {r * (even * scale.even - value.even * shrink), r * (odd * scale.odd - value.odd * shrink)});
      });
    }
  }
};

}  // namespace

void KokkosOps::run(const RmsNormRopeForward& a) {
  const bool packs = in_packs(a.x.cols(), a.x, a.y, a.weight) && heads_in_packs(a.rope, a.head_dim);
  with_storage(a.x, a.y, a.weight, [&](auto x, auto y, auto w) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    using W = std::remove_pointer_t<decltype(w.data)>;
    launch_packed_rows(
        "rms_norm_rope_forward", a.x.rows(), a.x.cols(), packs,
        Forward<X, Y, W>{a.x.cols(), static_cast<float>(a.width), a.eps, x, y, w.data,
                         rotation(a.rope, a.head_dim), a.sum_squares.as<float>(), a.rstd.as<float>()});
  });
}

void KokkosOps::run(const RmsNormSumSquares& a) {
  with_storage(a.x, [&](auto x) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    launch_packed_rows("rms_norm_sum_squares", a.x.rows(), a.x.cols(), in_packs(a.x.cols(), a.x),
                       PartialForward<X>{a.x.cols(), x, a.out.as<float>()});
  });
}

void KokkosOps::run(const RmsNormRopeBackward& a) {
  const bool packs = in_packs(a.x.cols(), a.dy, a.x, a.dx, a.weight) && heads_in_packs(a.rope, a.head_dim);
  const RowSums<1> sums{nullptr, {matrix<float>(a.dweight)}};
  with_storage(a.dy, a.x, a.dx, [&](auto dy, auto x, auto dx) {
    using G = std::remove_pointer_t<decltype(dy.data)>;
    using X = std::remove_pointer_t<decltype(x.data)>;
    using D = std::remove_pointer_t<decltype(dx.data)>;
    with_storage(a.weight, [&](auto w) {
      using W = std::remove_pointer_t<decltype(w.data)>;
      launch_rows_with_sums(
          "rms_norm_rope_backward", workspace(), a.x.rows(), a.x.cols(), packs, sums,
          Backward<G, X, D, W>{a.x.cols(), static_cast<float>(a.width), dy, x, dx, w.data, a.rstd.as<float>(),
                               rotation(a.rope, a.head_dim), a.dot.as<float>()});
    });
  });
}

void KokkosOps::run(const RmsNormRopeDot& a) {
  const bool packs = in_packs(a.x.cols(), a.dy, a.x, a.weight) && heads_in_packs(a.rope, a.head_dim);
  with_storage(a.dy, a.x, a.weight, [&](auto dy, auto x, auto w) {
    using G = std::remove_pointer_t<decltype(dy.data)>;
    using X = std::remove_pointer_t<decltype(x.data)>;
    using W = std::remove_pointer_t<decltype(w.data)>;
    launch_packed_rows(
        "rms_norm_rope_dot", a.x.rows(), a.x.cols(), packs,
        PartialBackward<G, X, W>{a.x.cols(), dy, x, w.data, rotation(a.rope, a.head_dim), a.out.as<float>()});
  });
}

}  // namespace wan
