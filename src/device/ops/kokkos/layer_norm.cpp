#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/row_statistics.hpp"
#include "device/ops/kokkos/row_sums.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

template <class X, class Y, class W>
struct Forward {
  static constexpr int column_bytes = uniform<X, Y> ? bytes_of_column<X> : 0;

  std::int64_t channels;
  RowWidth width;
  float eps;
  float base;  ///< 1 where the factor is 1 + scale
  Matrix<X> x;
  Matrix<Y> y;
  Matrix<W> factor;
  Matrix<W> offset;
  float* mean;
  float* rstd;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto rows(const AnyLanes& lanes, std::int64_t token) const {
    return lanes.hold(channels, x.row(token));
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Nothing scalars(const AnyLanes&, std::int64_t) const {
    return {};
  }

  template <class AnyLanes>
  struct Modulation {
    typename AnyLanes::template Raised<W> factor;
    typename AnyLanes::template Row<W> shift;
  };
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Modulation<AnyLanes> parameters(const AnyLanes& lanes,
                                                              std::int64_t number) const {
    return {lanes.hold_raised(channels, factor.row(number), base), lanes.hold(channels, offset.row(number))};
  }

  template <class AnyLanes, class In, class Parameters>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              Nothing, const Parameters& modulation) const {
    const RowStatistics statistics = normalise_row(lanes, channels, width, eps, in);
    const float m = statistics.mean;
    const float r = statistics.rstd;
    Y* const out = kept(y.row(token));
    lanes.each(channels,
               [=](auto c) { store(out, c, (in(c)-m) * r * modulation.factor(c) + modulation.shift(c)); });
    if (mean == nullptr) return;
    float* const to_mean = mean + token;
    float* const to_rstd = rstd + token;
    lanes.once([=] {
      *to_mean = m;
      *to_rstd = r;
    });
  }
};

/// dx, and the sums of dy xh for the factor (number 0) and of dy for the offset (number 1).
template <class G, class X, class D, class W>
struct Backward {
  static constexpr int column_bytes = uniform<G, X, D> ? bytes_of_column<G, X, D> : 0;

  std::int64_t channels;
  RowWidth width;
  float base;
  Matrix<G> dy;
  Matrix<X> x;
  Matrix<D> dx;
  Matrix<W> factor;
  const float* mean;
  const float* rstd;

  template <class AnyLanes>
  struct Rows {
    typename AnyLanes::template Row<G> slope;
    typename AnyLanes::template Row<X> x;
    typename AnyLanes::template Row<D> before;
  };
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Rows<AnyLanes> rows(const AnyLanes& lanes, std::int64_t token) const {
    return {lanes.hold(channels, dy.row(token)), lanes.hold(channels, x.row(token)),
            lanes.hold(channels, dx.row(token))};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION RowStatistics scalars(const AnyLanes&, std::int64_t token) const {
    return {mean[token], rstd[token]};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto parameters(const AnyLanes& lanes, std::int64_t number) const {
    return lanes.hold_raised(channels, factor.row(number), base);
  }

  template <class AnyLanes, class In, class Parameters, class Sums>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              const RowStatistics& statistics, const Parameters& multiplier,
                                              Sums& sums) const {
    D* const out = kept(dx.row(token));
    const float m = statistics.mean;
    const float r = statistics.rstd;
    float sum_g = 0;
    float sum_gx = 0;
    lanes.sum_two(channels, sum_g, sum_gx, [=](auto c, auto& a, auto& b) {
      const auto u = in.slope(c) * multiplier(c);
      a += u;
      b += u * ((in.x(c) - m) * r);
    });
    const float mean_g = mean_of(sum_g, width);
    const float mean_gx = mean_of(sum_gx, width);
    lanes.each(channels, [&](auto c) {
      const auto s = in.slope(c);
      const auto xh = (in.x(c) - m) * r;
      sums.add(0, c, s * xh);
      sums.add(1, c, s);
      store(out, c, in.before(c) + r * (s * multiplier(c) - mean_g - xh * mean_gx));
    });
  }
};

}  // namespace

void KokkosOps::run(const LayerNormForward& a) {
  const bool modulated = static_cast<bool>(a.scale);
  const Tensor& factor = modulated ? a.scale : a.weight;
  const Tensor& offset = modulated ? a.shift : a.bias;
  const std::int32_t* const row_index = modulated ? a.row_index.as<std::int32_t>() : nullptr;
  with_storage(a.x, a.y, factor, [&](auto x, auto y, auto w) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    using W = std::remove_pointer_t<decltype(w.data)>;
    launch_packed_rows("layer_norm_forward", a.x.rows(), a.x.cols(),
                       in_packs(a.x.cols(), a.x, a.y, factor, offset), row_index,
                       Forward<X, Y, W>{a.x.cols(), row_width(a.x.cols()), a.eps, modulated ? 1.0F : 0.0F, x,
                                        y, w, matrix<W>(offset), a.mean.as<float>(), a.rstd.as<float>()});
  });
}

void KokkosOps::run(const LayerNormBackward& a) {
  const bool modulated = static_cast<bool>(a.scale);
  const Tensor& factor = modulated ? a.scale : a.weight;
  const RowSums<2> sums{
      modulated ? a.row_index.as<std::int32_t>() : nullptr,
      {matrix<float>(modulated ? a.dscale : a.dweight), matrix<float>(modulated ? a.dshift : a.dbias)}};
  with_storage(a.dy, a.x, a.dx, [&](auto dy, auto x, auto dx) {
    using G = std::remove_pointer_t<decltype(dy.data)>;
    using X = std::remove_pointer_t<decltype(x.data)>;
    using D = std::remove_pointer_t<decltype(dx.data)>;
    with_storage(factor, [&](auto w) {
      using W = std::remove_pointer_t<decltype(w.data)>;
      launch_rows_with_sums("layer_norm_backward", workspace(), a.x.rows(), a.x.cols(),
                            in_packs(a.x.cols(), a.dy, a.x, a.dx, factor, a.dscale, a.dshift), sums,
                            Backward<G, X, D, W>{a.x.cols(), row_width(a.x.cols()), modulated ? 1.0F : 0.0F,
                                                 dy, x, dx, w, a.mean.as<float>(), a.rstd.as<float>()});
    });
  });
}

}  // namespace wan
