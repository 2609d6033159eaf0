#include <initializer_list>

#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/matrix_sums.hpp"
#include "device/ops/kokkos/row_statistics.hpp"
#include "device/ops/kokkos/row_sums.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

/// Row r of a matrix, none without data.
template <class T>
KOKKOS_FORCEINLINE_FUNCTION T* row_or_none(const Matrix<T>& matrix, std::int64_t r) {
  return matrix.data == nullptr ? nullptr : matrix.row(r);
}

/// One element type T; a norm of its own parameters has strides of 0.
template <class T, class W>
struct Forward {
  static constexpr int column_bytes = bytes_of_column<T, T>;

  std::int64_t channels;
  RowWidth width;
  float eps;
  float base;  ///< 1 where the factor is 1 + scale
  Matrix<T> x;
  Matrix<T> y;
  Matrix<const float> gate;  ///< none: 1
  Matrix<T> out;
  Matrix<W> factor;
  Matrix<W> offset;
  Matrix<T> normed;
  float* mean;
  float* rstd;

  template <class AnyLanes>
  struct Rows {
    typename AnyLanes::template Row<T> x;
    typename AnyLanes::template Row<T> y;
  };
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Rows<AnyLanes> rows(const AnyLanes& lanes, std::int64_t token) const {
    return {lanes.hold(channels, x.row(token)), lanes.hold(channels, y.row(token))};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Nothing scalars(const AnyLanes&, std::int64_t) const {
    return {};
  }
  template <class AnyLanes>
  struct Parameters {
    typename AnyLanes::template Row<float> gate;
    typename AnyLanes::template Raised<W> factor;
    typename AnyLanes::template Row<W> shift;
  };
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Parameters<AnyLanes> parameters(const AnyLanes& lanes, std::int64_t r) const {
    return {lanes.hold(channels, row_or_none(gate, r)), lanes.hold_raised(channels, factor.row(r), base),
            lanes.hold(channels, offset.row(r))};
  }

  template <class AnyLanes, class In, class Given>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              Nothing, const Given& given) const {
    const bool gated = gate.data != nullptr;
    const auto sum = lanes.write(channels, in.x, out.row(token), [=](auto c) {
      return gated ? in.x(c) + given.gate(c) * in.y(c) : in.x(c) + in.y(c);
    });
    const RowStatistics statistics = normalise_row(lanes, channels, width, eps, sum);
    const float m = statistics.mean;
    const float r = statistics.rstd;
    T* const to = kept(normed.row(token));
    lanes.each(channels, [=](auto c) { store(to, c, (sum(c) - m) * r * given.factor(c) + given.shift(c)); });
    if (mean == nullptr) return;
    float* const to_mean = mean + token;
    float* const to_rstd = rstd + token;
    lanes.once([=] {
      *to_mean = m;
      *to_rstd = r;
    });
  }
};

/// g, dy, and the sums of dnormed xh (number 0), of dnormed (1) and of g y (2).
template <class T, class W>
struct Backward {
  static constexpr int column_bytes = bytes_of_column<T, T, T, T>;

  std::int64_t channels;
  RowWidth width;
  float base;
  Matrix<T> dnormed;
  Matrix<T> x;
  Matrix<T> g;
  Matrix<T> y;
  Matrix<T> dy;
  Matrix<W> factor;
  Matrix<const float> gate;
  const float* mean;
  const float* rstd;

  template <class AnyLanes>
  struct Rows {
    typename AnyLanes::template Row<T> slope;
    typename AnyLanes::template Row<T> x;
    typename AnyLanes::template Row<T> before;
    typename AnyLanes::template Row<T> y;
  };
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Rows<AnyLanes> rows(const AnyLanes& lanes, std::int64_t token) const {
    return {lanes.hold(channels, dnormed.row(token)), lanes.hold(channels, x.row(token)),
            lanes.hold(channels, g.row(token)), lanes.hold(channels, y.row(token))};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION RowStatistics scalars(const AnyLanes&, std::int64_t token) const {
    return {mean[token], rstd[token]};
  }
  template <class AnyLanes>
  struct Parameters {
    typename AnyLanes::template Raised<W> factor;
    typename AnyLanes::template Row<float> gate;
  };
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Parameters<AnyLanes> parameters(const AnyLanes& lanes, std::int64_t r) const {
    return {lanes.hold_raised(channels, factor.row(r), base), lanes.hold(channels, gate.row(r))};
  }

  template <class AnyLanes, class In, class Given, class Sums>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              const RowStatistics& statistics, const Given& given,
                                              Sums& sums) const {
    const float m = statistics.mean;
    const float r = statistics.rstd;
    float sum_g = 0;
    float sum_gx = 0;
    lanes.sum_two(channels, sum_g, sum_gx, [=](auto c, auto& a, auto& b) {
      const auto u = in.slope(c) * given.factor(c);
      a += u;
      b += u * ((in.x(c) - m) * r);
    });
    const float mean_g = mean_of(sum_g, width);
    const float mean_gx = mean_of(sum_gx, width);
    const auto after = lanes.write(channels, in.before, g.row(token), [=](auto c) {
      return in.before(c) + r * (in.slope(c) * given.factor(c) - mean_g - (in.x(c) - m) * r * mean_gx);
    });
    T* const to = kept(dy.row(token));
    lanes.each(channels, [&](auto c) {
      const auto s = in.slope(c);
      const auto slope = after(c);
      sums.add(0, c, s * ((in.x(c) - m) * r));
      sums.add(1, c, s);
      sums.add(2, c, slope * in.y(c));
      store(to, c, given.gate(c) * slope);
    });
  }
};

struct Zero {
  float* out;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t i) const { out[i] = 0; }
};

bool same_dtype(const Tensor& first, std::initializer_list<const Tensor*> others) {
  for (const Tensor* other : others) {
    if (other->dtype != first.dtype) return false;
  }
  return true;
}

}  // namespace

void KokkosOps::run(const ResidualNormForward& a) {
  const GatedResidualForward& residual = a.residual;
  const LayerNormForward& norm = a.norm;
  if (!same_dtype(residual.out, {&residual.x, &residual.y, &norm.y})) {
    run(residual);
    run(norm);
    return;
  }
  const bool modulated = static_cast<bool>(norm.scale);
  const Tensor& factor = modulated ? norm.scale : norm.weight;
  const Tensor& offset = modulated ? norm.shift : norm.bias;
  const Tensor& row_index = residual.gate ? residual.row_index : norm.row_index;
  const std::int64_t channels = norm.x.cols();
  with_storage(residual.out, factor, [&](auto out, auto w) {
    using T = std::remove_pointer_t<decltype(out.data)>;
    using W = std::remove_pointer_t<decltype(w.data)>;
    const auto of_row = [&](const Tensor& tensor) {
      return Matrix<W>{tensor.as<W>(), modulated ? tensor.row_stride : 0};
    };
    launch_packed_rows(
        "residual_norm_forward", norm.x.rows(), channels,
        in_packs(channels, residual.x, residual.y, residual.out, residual.gate, factor, offset, norm.y),
        modulated || residual.gate ? row_index.as<std::int32_t>() : nullptr,
        Forward<T, W>{channels,
                      row_width(channels),
                      norm.eps,
                      modulated ? 1.0F : 0.0F,
                      matrix<T>(residual.x),
                      matrix<T>(residual.y),
                      {residual.gate.as<const float>(), residual.gate.row_stride},
                      out,
                      of_row(factor),
                      of_row(offset),
                      matrix<T>(norm.y),
                      norm.mean.as<float>(),
                      norm.rstd.as<float>()});
  });
}

void KokkosOps::run(const ResidualNormBackward& a) {
  const LayerNormBackward& norm = a.norm;
  const GatedResidualBackward& residual = a.residual;
  const bool complete = residual.dy && residual.y;
  if (!complete || !same_dtype(norm.dx, {&norm.dy, &norm.x, &residual.y, &residual.dy})) {
    run(norm);
    run(residual);
    return;
  }
  const Workspace::Scope scope(workspace());
  const bool modulated = static_cast<bool>(norm.scale);
  const Tensor& factor = modulated ? norm.scale : norm.weight;
  const std::int64_t channels = norm.x.cols();
  const std::int64_t rows = residual.gate.rows();
  // Sums are told apart by the gate's rows; a norm with parameters of its own wants them together.
  const auto sums_for = [&](const Tensor& wanted) {
    if (modulated || !wanted) return wanted;
    const Tensor apart(workspace().floats(rows * channels), DType::f32, {rows, channels});
    launch_elements("residual_norm_sums", rows * channels, Zero{apart.as<float>()});
    return apart;
  };
  const Tensor dfactor = sums_for(modulated ? norm.dscale : norm.dweight);
  const Tensor doffset = sums_for(modulated ? norm.dshift : norm.dbias);
  with_storage(norm.dx, factor, [&](auto g, auto w) {
    using T = std::remove_pointer_t<decltype(g.data)>;
    using W = std::remove_pointer_t<decltype(w.data)>;
    launch_rows_with_sums(
        "residual_norm_backward", workspace(), norm.x.rows(), channels,
        in_packs(channels, norm.dy, norm.x, norm.dx, factor, dfactor, doffset, residual.y, residual.dy,
                 residual.gate, residual.dgate),
        RowSums<3>{residual.row_index.as<std::int32_t>(),
                   {matrix<float>(dfactor), matrix<float>(doffset), matrix<float>(residual.dgate)}},
        Backward<T, W>{channels,
                       row_width(channels),
                       modulated ? 1.0F : 0.0F,
                       matrix<T>(norm.dy),
                       matrix<T>(norm.x),
                       g,
                       matrix<T>(residual.y),
                       matrix<T>(residual.dy),
                       Matrix<W>{w.data, modulated ? w.stride : 0},
                       {residual.gate.as<const float>(), residual.gate.row_stride},
                       norm.mean.as<float>(),
                       norm.rstd.as<float>()});
  });
  if (modulated) return;
  if (dfactor) sum_matrix_rows("residual_norm_weight", workspace(), dfactor, norm.dweight);
  if (doffset) sum_matrix_rows("residual_norm_bias", workspace(), doffset, norm.dbias);
}

}  // namespace wan
