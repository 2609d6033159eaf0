#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/row_sums.hpp"
#include "device/ops/kokkos/storage.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

template <class X, class Y, class O>
struct Forward {
  std::int64_t channels;
  Matrix<X> x;
  Matrix<Y> y;
  Matrix<O> out;
  Matrix<const float> gate;
  const std::int32_t* row_index;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token) const {
    const X* const in = x.row(token);
    const Y* const branch = y.row(token);
    O* const to = out.row(token);
    if (gate.data == nullptr) {
      lanes.each(channels, [=](auto c) { store(to, c, load(in, c) + load(branch, c)); });
    } else {
      const float* const g = gate.row(row_index[token]);
      lanes.each(channels, [=](auto c) { store(to, c, load(in, c) + load(g, c) * load(branch, c)); });
    }
  }
};

/// dy where it is wanted, and the sum of g y for the gate.
template <class G, class Y, class D>
struct Backward {
  std::int64_t channels;
  Matrix<G> g;
  Matrix<Y> y;
  Matrix<D> dy;
  Matrix<const float> gate;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void prefetch(const AnyLanes& lanes, std::int64_t token) const {
    lanes.prefetch(g.row(token), channels);
    lanes.prefetch(y.row(token), channels);
  }

  template <class AnyLanes, class Sums>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token, std::int64_t number,
                                              Sums& sums) const {
    const G* const in = g.row(token);
    const Y* const branch = y.row(token);
    if (dy.data == nullptr) {
      lanes.each(channels, [&](auto c) { sums.add(0, c, load(in, c) * load(branch, c)); });
      return;
    }
    const float* const factor = gate.row(number);
    D* const to = dy.row(token);
    lanes.each(channels, [&](auto c) {
      const auto slope = load(in, c);
      sums.add(0, c, slope * load(branch, c));
      store(to, c, load(factor, c) * slope);
    });
  }
};

/// dy alone.
template <class G, class D>
struct BackwardData {
  std::int64_t channels;
  Matrix<G> g;
  Matrix<D> dy;
  Matrix<const float> gate;
  const std::int32_t* row_index;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t token) const {
    const G* const in = g.row(token);
    D* const to = dy.row(token);
    const float* const factor = gate.row(row_index[token]);
    lanes.each(channels, [=](auto c) { store(to, c, load(factor, c) * load(in, c)); });
  }
};

}  // namespace

void KokkosOps::run(const GatedResidualForward& a) {
  with_storage(a.x, a.y, a.out, [&](auto x, auto y, auto out) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    using O = std::remove_pointer_t<decltype(out.data)>;
    launch_packed_rows("gated_residual_forward", a.x.rows(), a.x.cols(),
                       in_packs(a.x.cols(), a.x, a.y, a.out, a.gate),
                       Forward<X, Y, O>{a.x.cols(),
                                        x,
                                        y,
                                        out,
                                        {a.gate.as<const float>(), a.gate.row_stride},
                                        a.row_index.as<std::int32_t>()});
  });
}

void KokkosOps::run(const GatedResidualBackward& a) {
  const std::int32_t* const row_index = a.row_index.as<std::int32_t>();
  const std::int64_t channels = a.g.cols();
  const Matrix<const float> gate{a.gate.as<const float>(), a.gate.row_stride};
  const bool packs = in_packs(channels, a.g, a.y, a.dy, a.gate);
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
      launch_packed_rows("gated_residual_backward_data", a.g.rows(), channels, packs,
                         BackwardData<G, D>{channels, g, dy, gate, row_index});
    });
  }
}

}  // namespace wan
