#include <cmath>

#include "device/ops/kokkos/kokkos_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/matrix_elements.hpp"
#include "device/ops/kokkos/matrix_sums.hpp"
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
  KOKKOS_FORCEINLINE_FUNCTION auto operands(At i) const {
    return raw(x, i);
  }
  template <class At, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i, const In& in) const {
    store(y, i, factor * wide(in));
  }
};

template <class X, class Y>
struct ScaledSum {
  float a;
  float b;
  const X* x;
  Y* y;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION auto operands(At i) const {
    return Operands<decltype(raw(x, i)), decltype(raw(y, i))>{raw(x, i), raw(y, i)};
  }
  template <class At, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i, const In& in) const {
    store(y, i, a * wide(in.a) + b * wide(in.b));
  }
};

template <class X, class Y, Activation activation>
struct Activate {
  static constexpr Exactness exactness = exactness_for<X, Y>;

  const X* x;
  Y* y;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION auto operands(At i) const {
    return raw(x, i);
  }
  template <class At, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i, const In& in) const {
    store(y, i, each_part(wide(in), [](float u) { return activate<activation, exactness>(u); }));
  }
};

template <class G, class X, class D, Activation activation>
struct ActivateBackward {
  static constexpr Exactness exactness = exactness_for<G, X, D>;

  const G* dy;
  const X* x;
  D* dx;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION auto operands(At i) const {
    return Operands<decltype(raw(dy, i)), decltype(raw(x, i))>{raw(dy, i), raw(x, i)};
  }
  template <class At, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i, const In& in) const {
    store(dx, i, wide(in.a) * each_part(wide(in.b), [](float u) {
                   return activation_slope<activation, exactness>(u);
                 }));
  }
};

template <class X, class Y, Activation activation>
struct ActivateRow {
  Matrix<X> x;
  Matrix<Y> y;

  KOKKOS_FORCEINLINE_FUNCTION Activate<X, Y, activation> operator()(std::int64_t row) const {
    return {x.row(row), y.row(row)};
  }
};

template <class G, class X, class D, Activation activation>
struct ActivateRowBackward {
  Matrix<G> dy;
  Matrix<X> x;
  Matrix<D> dx;

  KOKKOS_FORCEINLINE_FUNCTION ActivateBackward<G, X, D, activation> operator()(std::int64_t row) const {
    return {dy.row(row), x.row(row), dx.row(row)};
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
    launch_packed_elements<pack_width>("cast", a.x.elements(), in_packs_of<pack_width>(x.data, y.data),
                                       ScaledCopy<X, Y>{1.0F, x.data, y.data});
  });
}

void KokkosOps::run(const Axpby& a) {
  with_storage(a.x, a.y, [&](auto x, auto y) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    if (a.b == 0) {
      launch_packed_elements<pack_width>("axpby_overwrite", a.x.elements(),
                                         in_packs_of<pack_width>(x.data, y.data),
                                         ScaledCopy<X, Y>{a.a, x.data, y.data});
    } else {
      launch_packed_elements<pack_width>("axpby", a.x.elements(), in_packs_of<pack_width>(x.data, y.data),
                                         ScaledSum<X, Y>{a.a, a.b, x.data, y.data});
    }
  });
}

void KokkosOps::run(const ActivationForward& a) {
  with_storage(a.x, a.y, [&](auto x, auto y) {
    using X = std::remove_pointer_t<decltype(x.data)>;
    using Y = std::remove_pointer_t<decltype(y.data)>;
    with_activation(a.activation, [&](auto activation) {
      launch_matrix_elements("activation_forward", a.x.rows(), a.x.cols(),
                             ActivateRow<X, Y, decltype(activation)::value>{x, y}, x, y);
    });
  });
}

void KokkosOps::run(const ActivationBackward& a) {
  with_storage(a.dy, a.x, a.dx, [&](auto dy, auto x, auto dx) {
    using G = std::remove_pointer_t<decltype(dy.data)>;
    using X = std::remove_pointer_t<decltype(x.data)>;
    using D = std::remove_pointer_t<decltype(dx.data)>;
    with_activation(a.activation, [&](auto activation) {
      launch_matrix_elements("activation_backward", a.x.rows(), a.x.cols(),
                             ActivateRowBackward<G, X, D, decltype(activation)::value>{dy, x, dx}, dy, x, dx);
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
  sum_matrix_rows("sum_rows", workspace(), a.x, a.out);
}

void KokkosOps::run(const TimestepEmbedding& a) {
  const std::int64_t half = a.out.cols() / 2;
  launch_items("timestep_embedding", a.out.rows() * half,
               Sinusoid{half, a.timestep.as<float>(), matrix<float>(a.out)});
}

}  // namespace wan
