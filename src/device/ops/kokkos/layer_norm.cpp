#include <cmath>

#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/row_sums.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

template <class X, class Y, class W>
struct Forward {
  std::int64_t channels;
  float eps;
  float base;  ///< 1 where the factor is 1 + scale
  Matrix<X> x;
  Matrix<Y> y;
  const std::int32_t* row_index;  ///< none: the one affine row
  Matrix<W> factor;
  Matrix<W> offset;
  float* mean;
  float* rstd;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token) const {
    const X* const in = x.row(token);
    Y* const out = y.row(token);
    const auto width = static_cast<float>(channels);
    const auto row = lanes.hold(channels, [=](auto c) { return load(in, c); });
    const float m = lanes.sum(channels, [=](auto c) { return row(c); }) / width;
    const float variance = lanes.sum(channels, [=](auto c) {
      const auto centred = row(c) - m;
      return centred * centred;
    }) / width;
    const float r = 1.0F / std::sqrt(variance + eps);
    const std::int64_t number = row_index == nullptr ? 0 : row_index[token];
    const W* const scale = factor.row(number);
    const W* const shift = offset.row(number);
    const float one = base;
    lanes.each(channels,
               [=](auto c) { store(out, c, (row(c) - m) * r * (one + load(scale, c)) + load(shift, c)); });
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
  std::int64_t channels;
  float base;
  Matrix<G> dy;
  Matrix<X> x;
  Matrix<D> dx;
  Matrix<W> factor;
  const float* mean;
  const float* rstd;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void prefetch(const AnyLanes& lanes, std::int64_t token) const {
    lanes.prefetch(dy.row(token), channels);
    lanes.prefetch(x.row(token), channels);
    lanes.prefetch(dx.row(token), channels);
  }

  template <class AnyLanes, class Sums>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, std::int64_t number,
                                              Sums& sums) const {
    const G* const g = dy.row(token);
    const X* const in = x.row(token);
    D* const out = dx.row(token);
    const W* const scale = factor.row(number);
    const float one = base;
    const float m = mean[token];
    const float r = rstd[token];
    const auto slope = lanes.hold(channels, [=](auto c) { return load(g, c); });
    const auto normed = lanes.hold(channels, [=](auto c) { return (load(in, c) - m) * r; });
    const auto before = lanes.hold(channels, [=](auto c) { return load(out, c); });
    float sum_g = 0;
    float sum_gx = 0;
    lanes.sum_two(channels, sum_g, sum_gx, [=](auto c, auto& a, auto& b) {
      const auto u = slope(c) * (one + load(scale, c));
      a += u;
      b += u * normed(c);
    });
    const float mean_g = sum_g / static_cast<float>(channels);
    const float mean_gx = sum_gx / static_cast<float>(channels);
    lanes.each(channels, [&](auto c) {
      const auto s = slope(c);
      const auto xh = normed(c);
      sums.add(0, c, s * xh);
      sums.add(1, c, s);
      store(out, c, before(c) + r * (s * (one + load(scale, c)) - mean_g - xh * mean_gx));
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
                       in_packs(a.x.cols(), a.x, a.y, factor, offset),
                       Forward<X, Y, W>{a.x.cols(), a.eps, modulated ? 1.0F : 0.0F, x, y, row_index, w,
                                        matrix<W>(offset), a.mean.as<float>(), a.rstd.as<float>()});
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
                            in_packs(a.x.cols(), a.dy, a.x, a.dx, factor), sums,
                            Backward<G, X, D, W>{a.x.cols(), modulated ? 1.0F : 0.0F, dy, x, dx, w,
                                                 a.mean.as<float>(), a.rstd.as<float>()});
    });
  });
}

}  // namespace wan
