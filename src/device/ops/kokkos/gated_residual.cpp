#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/row_sums.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

template <class X, class Y, class O>
struct Forward {
  static constexpr int column_bytes = uniform<X, Y, O> ? bytes_of_column<X, Y> : 0;

  std::int64_t channels;
  Matrix<X> x;
  Matrix<Y> y;
  Matrix<O> out;
  Matrix<const float> gate;

  template <class AnyLanes>
  struct Rows {
    typename AnyLanes::template Row<X> x;
    typename AnyLanes::template Row<Y> y;
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
  KOKKOS_FORCEINLINE_FUNCTION auto parameters(const AnyLanes& lanes, std::int64_t number) const {
    return lanes.hold(channels, gate.row(number));
  }

  template <class AnyLanes, class In, class Parameters>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              Nothing, const Parameters& g) const {
    O* const to = kept(out.row(token));
    if (gate.data == nullptr) {
      lanes.each(channels, [=](auto c) { store(to, c, in.x(c) + in.y(c)); });
    } else {
      lanes.each(channels, [=](auto c) { store(to, c, in.x(c) + g(c) * in.y(c)); });
    }
  }
};

/// dy where it is wanted, and the sum of g y for the gate.
template <class G, class Y, class D>
struct Backward {
  static constexpr int column_bytes = uniform<G, Y, D> ? bytes_of_column<G, Y> : 0;

  std::int64_t channels;
  Matrix<G> g;
  Matrix<Y> y;
  Matrix<D> dy;
  Matrix<const float> gate;

  template <class AnyLanes>
  struct Rows {
    typename AnyLanes::template Row<G> g;
    typename AnyLanes::template Row<Y> y;
  };
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Rows<AnyLanes> rows(const AnyLanes& lanes, std::int64_t token) const {
    return {lanes.hold(channels, g.row(token)), lanes.hold(channels, y.row(token))};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Nothing scalars(const AnyLanes&, std::int64_t) const {
    return {};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto parameters(const AnyLanes& lanes, std::int64_t number) const {
    return lanes.hold(channels, gate.row(number));
  }

  template <class AnyLanes, class In, class Parameters, class Sums>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              Nothing, const Parameters& factor, Sums& sums) const {
    D* const to = dy.data == nullptr ? nullptr : dy.row(token);
    lanes.each(channels, [&](auto c) {
      const auto slope = in.g(c);
      sums.add(0, c, slope * in.y(c));
      if (to != nullptr) store(to, c, factor(c) * slope);
    });
  }
};

/// dy alone.
template <class G, class D>
struct BackwardData {
  static constexpr int column_bytes = uniform<G, D> ? bytes_of_column<G> : 0;

  std::int64_t channels;
  Matrix<G> g;
  Matrix<D> dy;
  Matrix<const float> gate;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto rows(const AnyLanes& lanes, std::int64_t token) const {
    return lanes.hold(channels, g.row(token));
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION Nothing scalars(const AnyLanes&, std::int64_t) const {
    return {};
  }
  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION auto parameters(const AnyLanes& lanes, std::int64_t number) const {
    return lanes.hold(channels, gate.row(number));
  }

  template <class AnyLanes, class In, class Parameters>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, const In& in,
                                              Nothing, const Parameters& factor) const {
    D* const to = kept(dy.row(token));
    lanes.each(channels, [=](auto c) { store(to, c, factor(c) * in(c)); });
  }
};

}  // namespace

void KokkosOps::run(const GatedResidualForward& a) {
  with_storage(a.x, a.y, a.out, [&](auto x, auto y, auto out) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    using O = std::remove_pointer_t<decltype(out.data)>;
    launch_packed_rows(
        "gated_residual_forward", a.x.rows(), a.x.cols(), in_packs(a.x.cols(), a.x, a.y, a.out, a.gate),
        a.gate ? a.row_index.as<std::int32_t>() : nullptr,
        Forward<X, Y, O>{a.x.cols(), x, y, out, {a.gate.as<const float>(), a.gate.row_stride}});
  });
}

void KokkosOps::run(const GatedResidualBackward& a) {
  const std::int32_t* const row_index = a.row_index.as<std::int32_t>();
  const std::int64_t channels = a.g.cols();
  const Matrix<const float> gate{a.gate.as<const float>(), a.gate.row_stride};
  const bool packs = in_packs(channels, a.g, a.y, a.dy, a.gate, a.dgate);
  if (a.dgate) {
    with_storage(a.g, a.y, a.dy, [&](auto g, auto y, auto dy) {
      using G = std::remove_pointer_t<decltype(g.data)>;
      using Y = std::remove_pointer_t<decltype(y.data)>;
      using D = std::remove_pointer_t<decltype(dy.data)>;
      launch_rows_with_sums("gated_residual_backward", workspace(), a.g.rows(), channels, packs,
                            RowSums<1>{row_index, {matrix<float>(a.dgate)}},
                            Backward<G, Y, D>{channels, g, y, dy, gate});
    });
  } else if (a.dy) {
    with_storage(a.g, a.dy, [&](auto g, auto dy) {
      using G = std::remove_pointer_t<decltype(g.data)>;
      using D = std::remove_pointer_t<decltype(dy.data)>;
      launch_packed_rows("gated_residual_backward_data", a.g.rows(), channels, packs, row_index,
                         BackwardData<G, D>{channels, g, dy, gate});
    });
  }
}

}  // namespace wan
