#include <cmath>

#include "device/ops/kokkos/column_sums.hpp"
#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"
#include "device/ops/kokkos/vector_math.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

template <class X, class Y>
struct ScaledCopy {
  float factor;
  const X* x;
  Y* y;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i) const {
    store(y, i, factor * load(x, i));
  }
};

template <class X, class Y>
struct ScaledSum {
  float a;
  float b;
  const X* x;
  Y* y;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i) const {
    store(y, i, a * load(x, i) + b * load(y, i));
  }
};

template <class X, class Y, Activation activation>
struct Activate {
  std::int64_t cols;
  Matrix<X> x;
  Matrix<Y> y;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t row) const {
    const X* const in = x.row(row);
    Y* const out = y.row(row);
    lanes.each(cols, [=](auto c) {
      store(out, c, each_part(load(in, c), [](float u) { return activate<activation>(u); }));
    });
  }
};

template <class G, class X, class D, Activation activation>
struct ActivateBackward {
  std::int64_t cols;
  Matrix<G> dy;
  Matrix<X> x;
  Matrix<D> dx;

  template <class AnyLanes>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(const AnyLanes& lanes, std::int64_t row) const {
    const G* const g = dy.row(row);
    const X* const in = x.row(row);
    D* const out = dx.row(row);
    lanes.each(cols, [=](auto c) {
      const auto slope = each_part(load(in, c), [](float u) { return activation_slope<activation>(u); });
      store(out, c, load(g, c) * slope);
    });
  }
};

template <class V>
struct AddVector {
  std::int64_t cols;
  Matrix<float> rows;
  const V* vector;
  Matrix<float> out;

  /// Number `item` of all elements: rows are few and wide.
  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t item) const {
    const std::int64_t row = item / cols;
    const std::int64_t c = item % cols;
    out.row(row)[c] = rows.row(row)[c] + load(vector, c);
  }
};

template <class X>
struct Element {
  Matrix<X> x;

  KOKKOS_FORCEINLINE_FUNCTION float operator()(std::int64_t row, std::int64_t c) const {
    return load(x.row(row), c);
  }
};

struct Sinusoid {
  std::int64_t half;
  const float* timestep;
  Matrix<float> out;

  /// Number `item` of all rows' frequencies.
  KOKKOS_FUNCTION void operator()(std::int64_t item) const {
    const std::int64_t row = item / half;
    const std::int64_t k = item % half;
    const double frequency = std::pow(10000.0, -static_cast<double>(k) / static_cast<double>(half));
    const double angle = static_cast<double>(timestep[row]) * frequency;
    out.row(row)[k] = static_cast<float>(std::cos(angle));
    out.row(row)[half + k] = static_cast<float>(std::sin(angle));
  }
};

}  // namespace

void KokkosOps::run(const Cast& a) {
  with_storage(a.x, a.y, [&](auto x, auto y) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    launch_packed_elements("cast", a.x.elements(), in_packs(x.data, y.data),
                           ScaledCopy<X, Y>{1.0F, x.data, y.data});
  });
}

void KokkosOps::run(const Axpby& a) {
  with_storage(a.x, a.y, [&](auto x, auto y) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    if (a.b == 0) {
      launch_packed_elements("axpby_overwrite", a.x.elements(), in_packs(x.data, y.data),
                             ScaledCopy<X, Y>{a.a, x.data, y.data});
    } else {
      launch_packed_elements("axpby", a.x.elements(), in_packs(x.data, y.data),
                             ScaledSum<X, Y>{a.a, a.b, x.data, y.data});
    }
  });
}

void KokkosOps::run(const ActivationForward& a) {
  with_storage(a.x, a.y, [&](auto x, auto y) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    with_activation(a.activation, [&](auto activation) {
      launch_packed_rows("activation_forward", a.x.rows(), a.x.cols(), in_packs(a.x.cols(), a.x, a.y),
                         Activate<X, Y, decltype(activation)::value>{a.x.cols(), x, y});
    });
  });
}

void KokkosOps::run(const ActivationBackward& a) {
  with_storage(a.dy, a.x, a.dx, [&](auto dy, auto x, auto dx) {
    using G = std::remove_pointer_t<decltype(dy.data)>;
    using X = std::remove_pointer_t<decltype(x.data)>;
    using D = std::remove_pointer_t<decltype(dx.data)>;
    with_activation(a.activation, [&](auto activation) {
      launch_packed_rows("activation_backward", a.x.rows(), a.x.cols(), in_packs(a.x.cols(), a.dy, a.x, a.dx),
                         ActivateBackward<G, X, D, decltype(activation)::value>{a.x.cols(), dy, x, dx});
    });
  });
}

void KokkosOps::run(const AddRowVector& a) {
  with_storage(a.vector, [&](auto vector) {
    using V = std::remove_pointer_t<decltype(vector.data)>;
    launch_items("add_row_vector", a.rows.elements(),
                 AddVector<V>{a.rows.cols(), matrix<float>(a.rows), vector.data, matrix<float>(a.out)});
  });
}

void KokkosOps::run(const SumRows& a) {
  with_storage(a.x, [&](auto x) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    add_column_sums("sum_rows", workspace(), a.x.rows(), a.x.cols(), nullptr, a.out.as<float>(), a.x.cols(),
                    Element<X>{x});
  });
}

void KokkosOps::run(const TimestepEmbedding& a) {
  const std::int64_t half = a.out.cols() / 2;
  launch_items("timestep_embedding", a.out.rows() * half,
               Sinusoid{half, a.timestep.as<float>(), matrix<float>(a.out)});
}

}  // namespace wan
