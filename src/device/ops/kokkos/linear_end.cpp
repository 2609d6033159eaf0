#include "device/ops/kokkos/linear_end.hpp"

#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"
#include "device/ops/kokkos/vector_math.hpp"
#include "device/ops/kokkos/widened.hpp"

namespace wan::kernels {
namespace {

/// u = product + bias into pre, act(u) into y; product may be y or pre.
template <class Y, Activation activation>
struct ForwardEnd {
  std::int64_t cols;
  Matrix<float> product;
  const float* bias;
  Matrix<Y> pre;
  Matrix<Y> y;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    const float* const in = product.row(row);
    const float* const added = bias;
    Y* const to = y.row(row);
    if (pre.data == nullptr) {
      lanes.each(cols, [=](std::int64_t c) { store(to, c, activate<activation>(in[c] + added[c])); });
    } else {
      Y* const kept = pre.row(row);
      lanes.each(cols, [=](std::int64_t c) {
        const float u = in[c] + added[c];
        store(kept, c, u);
        store(to, c, activate<activation>(u));
      });
    }
  }
};

/// dx = [dx +] product * act'(pre); product may be dx.
template <class D, class P, Activation activation>
struct BackwardDataEnd {
  std::int64_t cols;
  bool accumulate;
  Matrix<float> product;
  Matrix<P> pre;
  Matrix<D> dx;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    const float* const in = product.row(row);
    D* const to = dx.row(row);
    const P* const u = pre.row(row);
    if (accumulate) {
      lanes.each(cols, [=](std::int64_t c) {
        store(to, c, load(to, c) + in[c] * activation_slope<activation>(load(u, c)));
      });
    } else {
      lanes.each(cols,
                 [=](std::int64_t c) { store(to, c, in[c] * activation_slope<activation>(load(u, c))); });
    }
  }
};

struct Zero {
  float* out;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t i) const { out[i] = 0; }
};

/// The bias in fp32, or zeros where there is none.
const float* bias_row(Workspace& workspace, const LinearForward& a) {
  if (a.bias) return widened(workspace, a.bias).as<float>();
  float* const zeros = workspace.floats(a.y.cols());
  launch_elements("no_bias", a.y.cols(), Zero{zeros});
  return zeros;
}

}  // namespace

void end_linear_forward(Workspace& workspace, const Tensor& product, const LinearForward& a) {
  const Workspace::Scope scope(workspace);
  const float* const bias = bias_row(workspace, a);
  with_storage(a.y, [&](auto y) {
    using Y = std::remove_pointer_t<decltype(y.data)>;
    with_activation(a.activation, [&](auto activation) {
      launch_rows("linear_forward_end", a.y.rows(),
                  ForwardEnd<Y, decltype(activation)::value>{a.y.cols(), matrix<float>(product), bias,
                                                             matrix<Y>(a.pre), y});
    });
  });
}

void end_linear_backward_data(const Tensor& product, const LinearBackwardData& a) {
  with_storage(a.dx, a.activation == Activation::none ? a.dx : a.pre, [&](auto dx, auto pre) {
    using D = std::remove_pointer_t<decltype(dx.data)>;
    using P = std::remove_pointer_t<decltype(pre.data)>;
    with_activation(a.activation, [&](auto activation) {
      launch_rows("linear_backward_data_end", a.dx.rows(),
                  BackwardDataEnd<D, P, decltype(activation)::value>{a.dx.cols(), a.accumulate,
                                                                     matrix<float>(product), pre, dx});
    });
  });
}

}  // namespace wan::kernels
