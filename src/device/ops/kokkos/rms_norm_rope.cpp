#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/rotation.hpp"
#include "device/ops/kokkos/row_statistics.hpp"
#include "device/ops/kokkos/row_sums.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

/// What belongs to a token beside its rows: where it stands, and sums over its channels that other ranks had
/// a share in.
template <int count>
struct Scalars {
  Place place;
  float reduced[count];
};

template <class AnyLanes, class T, int count>
struct HeldRows {
  typename AnyLanes::template Row<T> of[count];
};

template <class AnyLanes, class T, int count>
KOKKOS_FORCEINLINE_FUNCTION HeldRows<AnyLanes, T, count> hold_rows(const AnyLanes& lanes,
                                                                   std::int64_t channels,
                                                                   const Matrix<T> (&x)[count],
                                                                   std::int64_t row) {
  HeldRows<AnyLanes, T, count> out;
  for (int i = 0; i < count; ++i) out.of[i] = lanes.hold(channels, x[i].row(row));
  return out;
}

/// `count` matrices at once, that are rotated alike.
template <int count, class X, class Y, class W>
struct Forward {
  static constexpr int column_bytes = uniform<X, Y> ? count * bytes_of_column<X> : 0;

  std::int64_t channels;
  RowWidth width;
  float eps;
  Rotation rotate;
  Matrix<X> x[count];
  Matrix<Y> y[count];
  Matrix<W> weight[count];
  const float* reduced[count];
  float* rstd[count];

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto rows(const AnyLanes& lanes, std::int64_t token) const {
    return hold_rows(lanes, channels, x, token);
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Scalars<count> scalars(const AnyLanes&, std::int64_t token) const {
    Scalars<count> out;
    out.place = rotate.place(token);
    for (int i = 0; i < count; ++i) out.reduced[i] = reduced[i] == nullptr ? 0.0F : reduced[i][token];
    return out;
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto parameters(const AnyLanes& lanes, std::int64_t) const {
    return hold_rows(lanes, channels, weight, 0);
  }

  template <class AnyLanes, class In, class Parameters>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              const Scalars<count>& scalars,
                                              const Parameters& weights) const {
    Angles angles;
    rotate.angles(lanes, scalars.place, angles);
    float r[count];
    if (reduced[0] == nullptr) {
      lanes.sum_each(channels, r, [&](auto c, int i) {
        const auto value = in.of[i](c);
        return value * value;
      });
    } else {
      for (int i = 0; i < count; ++i) r[i] = scalars.reduced[i];
    }
    for (int i = 0; i < count; ++i) r[i] = inverse_root(mean_of(r[i], width) + eps);
    Y* out[count];
    for (int i = 0; i < count; ++i) out[i] = kept(y[i].row(token));
    if (rotate.cosine == nullptr) {
      for (int i = 0; i < count; ++i) {
        Y* const to = out[i];
        const float factor = r[i];
        const auto& from = in.of[i];
        const auto& w = weights.of[i];
        lanes.each(channels, [=](auto c) { store(to, c, from(c) * factor * w(c)); });
      }
    } else {
      rotate.each_pair(lanes, channels, [&](const auto& at) {
        const auto cosine = angles.cosine(at);
        const auto sine = angles.sine(at);
        for (int i = 0; i < count; ++i) {
          const auto value = pair_of(in.of[i], at.column);
          const auto scale = pair_of(weights.of[i], at.column);
          const auto even = value.even * r[i] * scale.even;
          const auto odd = value.odd * r[i] * scale.odd;
          store_pair(out[i], at.column, {even * cosine - odd * sine, even * sine + odd * cosine});
        }
      });
    }
    for (int i = 0; i < count; ++i) {
      if (rstd[i] == nullptr) continue;
      float* const to = rstd[i] + token;
      const float kept = r[i];
      lanes.once([=] { *to = kept; });
    }
  }
};

template <class X>
struct PartialForward {
  static constexpr int column_bytes = bytes_of_column<X>;

  std::int64_t channels;
  Matrix<X> x;
  float* out;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto rows(const AnyLanes& lanes, std::int64_t token) const {
    return lanes.hold(channels, x.row(token));
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Nothing scalars(const AnyLanes&, std::int64_t) const {
    return {};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Nothing parameters(const AnyLanes&, std::int64_t) const {
    return {};
  }

  template <class AnyLanes, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              Nothing, Nothing) const {
    const float sum = lanes.sum(channels, [=](auto c) { return in(c)*in(c); });
    float* const to = out + token;
    lanes.once([=] { *to = sum; });
  }
};

/// Rows of dy and of x.
template <class AnyLanes, class G, class X, int count>
struct BackwardRows {
  HeldRows<AnyLanes, G, count> slope;
  HeldRows<AnyLanes, X, count> x;
};

/// out[i] = the sum over the row of (R(-theta) dy) weight x. With a rotation, R(theta) (weight x) . dy is the
/// same product.
template <int count, class AnyLanes, class In, class Weights>
KOKKOS_FORCEINLINE_FUNCTION void backward_dots(const AnyLanes& lanes, const Rotation& rotate,
                                               const Angles& angles, std::int64_t channels, const In& in,
                                               const Weights& weights, float (&out)[count]) {
  if (rotate.cosine == nullptr) {
    lanes.sum_each(channels, out,
                   [&](auto c, int i) { return in.slope.of[i](c) * weights.of[i](c) * in.x.of[i](c); });
    return;
  }
  rotate.sum_pairs(lanes, channels, out, [&](const auto& at, int i) {
    const auto slope = pair_of(in.slope.of[i], at.column);
    const auto value = pair_of(in.x.of[i], at.column);
    const auto scale = pair_of(weights.of[i], at.column);
    const auto even = value.even * scale.even;
    const auto odd = value.odd * scale.odd;
    const auto cosine = angles.cosine(at);
    const auto sine = angles.sine(at);
    return slope.even * (even * cosine - odd * sine) + slope.odd * (even * sine + odd * cosine);
  });
}

template <class G, class X, class W>
struct PartialBackward {
  static constexpr int column_bytes = uniform<G, X> ? bytes_of_column<G, X> : 0;

  std::int64_t channels;
  Rotation rotate;
  Matrix<G> dy[1];
  Matrix<X> x[1];
  Matrix<W> weight[1];
  float* out;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION BackwardRows<AnyLanes, G, X, 1> rows(const AnyLanes& lanes,
                                                                   std::int64_t token) const {
    return {hold_rows(lanes, channels, dy, token), hold_rows(lanes, channels, x, token)};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Place scalars(const AnyLanes&, std::int64_t token) const {
    return rotate.place(token);
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto parameters(const AnyLanes& lanes, std::int64_t) const {
    return hold_rows(lanes, channels, weight, 0);
  }

  template <class AnyLanes, class In, class Parameters>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              const Place& place, const Parameters& weights) const {
    Angles angles;
    rotate.angles(lanes, place, angles);
    float dot[1];
    backward_dots(lanes, rotate, angles, channels, in, weights, dot);
    float* const to = out + token;
    const float sum = dot[0];
    lanes.once([=] { *to = sum; });
  }
};

/// dx, and the sum of (R(-theta) dy) x rstd for the weight. Both in one walk, since dx may be dy.
template <int count, class G, class X, class D, class W>
struct Backward {
  static constexpr int column_bytes = uniform<G, X, D> ? count * bytes_of_column<G, X> : 0;

  std::int64_t channels;
  RowWidth width;
  Rotation rotate;
  Matrix<G> dy[count];
  Matrix<X> x[count];
  Matrix<D> dx[count];
  Matrix<W> weight[count];
  const float* rstd[count];
  const float* reduced[count];

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION BackwardRows<AnyLanes, G, X, count> rows(const AnyLanes& lanes,
                                                                       std::int64_t token) const {
    return {hold_rows(lanes, channels, dy, token), hold_rows(lanes, channels, x, token)};
  }
  struct TokenScalars : Scalars<count> {
    float rstd[count];
  };
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION TokenScalars scalars(const AnyLanes&, std::int64_t token) const {
    TokenScalars out;
    out.place = rotate.place(token);
    for (int i = 0; i < count; ++i) {
      out.rstd[i] = rstd[i][token];
      out.reduced[i] = reduced[i] == nullptr ? 0.0F : reduced[i][token];
    }
    return out;
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto parameters(const AnyLanes& lanes, std::int64_t) const {
    return hold_rows(lanes, channels, weight, 0);
  }

  template <class AnyLanes, class In, class Parameters, class Sums>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              const TokenScalars& scalars, const Parameters& weights,
                                              Sums& sums) const {
    Angles angles;
    rotate.angles(lanes, scalars.place, angles);
    float shrink[count];
    if (reduced[0] == nullptr) {
      backward_dots(lanes, rotate, angles, channels, in, weights, shrink);
    } else {
      for (int i = 0; i < count; ++i) shrink[i] = scalars.reduced[i];
    }
    for (int i = 0; i < count; ++i) shrink[i] *= mean_of(scalars.rstd[i] * scalars.rstd[i], width);
    D* out[count];
    for (int i = 0; i < count; ++i) out[i] = kept(dx[i].row(token));
    if (rotate.cosine == nullptr) {
      for (int i = 0; i < count; ++i) {
        lanes.each(channels, [&](auto c) {
          const auto u = in.slope.of[i](c);
          const auto value = in.x.of[i](c);
          sums.add(i, c, u * value * scalars.rstd[i]);
          store(out[i], c, scalars.rstd[i] * (u * weights.of[i](c) - value * shrink[i]));
        });
      }
    } else {
      rotate.each_pair(lanes, channels, [&](const auto& at) {
        const auto cosine = angles.cosine(at);
        const auto sine = angles.sine(at);
        for (int i = 0; i < count; ++i) {
          const float r = scalars.rstd[i];
          const auto slope = pair_of(in.slope.of[i], at.column);
          const auto value = pair_of(in.x.of[i], at.column);
          const auto scale = pair_of(weights.of[i], at.column);
          const auto even = slope.even * cosine + slope.odd * sine;
          const auto odd = slope.odd * cosine - slope.even * sine;
          add_pair(sums, i, at.column, {even * value.even * r, odd * value.odd * r});
          store_pair(out[i], at.column,
                     {r * (even * scale.even - value.even * shrink[i]),
                      r * (odd * scale.odd - value.odd * shrink[i])});
        }
      });
    }
  }
};

template <int count>
void forward(const char* label, const RmsNormRopeForward* const (&a)[count]) {
  const RmsNormRopeForward& first = *a[0];
  bool packs = heads_in_packs(first.rope, first.head_dim);
  for (const RmsNormRopeForward* op : a) packs = packs && in_packs(op->x.cols(), op->x, op->y, op->weight);
  with_storage(first.x, first.y, first.weight, [&](auto x, auto y, auto w) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    using W = std::remove_pointer_t<decltype(w.data)>;
    Forward<count, X, Y, W> kernel{};
    kernel.channels = first.x.cols();
    kernel.width = row_width(first.width);
    kernel.eps = first.eps;
    kernel.rotate = rotation(first.rope, first.head_dim);
    for (int i = 0; i < count; ++i) {
      kernel.x[i] = matrix<X>(a[i]->x);
      kernel.y[i] = matrix<Y>(a[i]->y);
      kernel.weight[i] = {a[i]->weight.template as<W>(), 0};
      kernel.reduced[i] = a[i]->sum_squares.template as<float>();
      kernel.rstd[i] = a[i]->rstd.template as<float>();
    }
    launch_packed_rows(label, first.x.rows(), first.x.cols(), packs, nullptr, kernel);
  });
}

template <int count>
void backward(const char* label, Workspace& workspace, const RmsNormRopeBackward* const (&a)[count]) {
  const RmsNormRopeBackward& first = *a[0];
  bool packs = heads_in_packs(first.rope, first.head_dim);
  for (const RmsNormRopeBackward* op : a)
    packs = packs && in_packs(op->x.cols(), op->dy, op->x, op->dx, op->weight);
  with_storage(first.dy, first.x, first.dx, [&](auto dy, auto x, auto dx) {
    using G = std::remove_pointer_t<decltype(dy.data)>;
    using X = std::remove_pointer_t<decltype(x.data)>;
    using D = std::remove_pointer_t<decltype(dx.data)>;
    with_storage(first.weight, [&](auto w) {
      using W = std::remove_pointer_t<decltype(w.data)>;
      Backward<count, G, X, D, W> kernel{};
      kernel.channels = first.x.cols();
      kernel.width = row_width(first.width);
      kernel.rotate = rotation(first.rope, first.head_dim);
      RowSums<count> sums{};
      for (int i = 0; i < count; ++i) {
        kernel.dy[i] = matrix<G>(a[i]->dy);
        kernel.x[i] = matrix<X>(a[i]->x);
        kernel.dx[i] = matrix<D>(a[i]->dx);
        kernel.weight[i] = {a[i]->weight.template as<W>(), 0};
        kernel.rstd[i] = a[i]->rstd.template as<float>();
        kernel.reduced[i] = a[i]->dot.template as<float>();
        sums.out[i] = matrix<float>(a[i]->dweight);
      }
      launch_rows_with_sums(label, workspace, first.x.rows(), first.x.cols(), packs, sums, kernel);
    });
  });
}

}  // namespace

void KokkosOps::run(const RmsNormRopeForward& a) {
  forward<1>("rms_norm_rope_forward", {&a});
}

void KokkosOps::run(const RmsNormRopePairForward& a) {
  forward<2>("rms_norm_rope_pair_forward", {&a.first, &a.second});
}

void KokkosOps::run(const RmsNormSumSquares& a) {
  with_storage(a.x, [&](auto x) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    launch_packed_rows("rms_norm_sum_squares", a.x.rows(), a.x.cols(), in_packs(a.x.cols(), a.x), nullptr,
                       PartialForward<X>{a.x.cols(), x, a.out.as<float>()});
  });
}

void KokkosOps::run(const RmsNormRopeBackward& a) {
  backward<1>("rms_norm_rope_backward", workspace(), {&a});
}

void KokkosOps::run(const RmsNormRopePairBackward& a) {
  backward<2>("rms_norm_rope_pair_backward", workspace(), {&a.first, &a.second});
}

void KokkosOps::run(const RmsNormRopeDot& a) {
  const bool packs = in_packs(a.x.cols(), a.dy, a.x, a.weight) && heads_in_packs(a.rope, a.head_dim);
  with_storage(a.dy, a.x, a.weight, [&](auto dy, auto x, auto w) {
    using G = std::remove_pointer_t<decltype(dy.data)>;
    using X = std::remove_pointer_t<decltype(x.data)>;
    using W = std::remove_pointer_t<decltype(w.data)>;
    launch_packed_rows(
        "rms_norm_rope_dot", a.x.rows(), a.x.cols(), packs, nullptr,
        PartialBackward<G, X, W>{
            a.x.cols(), rotation(a.rope, a.head_dim), {dy}, {x}, {Matrix<W>{w.data, 0}}, a.out.as<float>()});
  });
}

}  // namespace wan
