#include "device/ops/ref/activation.hpp"
#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_ops.hpp"

namespace wan {

using ref::Dense;

void RefOps::run(const LinearForward& a) {
  const Dense x = ref::read(a.x);
  const Dense w = ref::read(a.w);
  const Dense bias = a.bias ? ref::read(a.bias) : Dense(1, w.rows);
  Dense pre(x.rows, w.rows);
  Dense y(x.rows, w.rows);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t m = 0; m < w.rows; ++m) {
      double sum = bias[m];
      for (std::int64_t k = 0; k < x.cols; ++k) sum += x(n, k) * w(m, k);
      pre(n, m) = sum;
      y(n, m) = ref::activate(a.activation, sum);
    }
  }
  if (a.pre) ref::write(a.pre, pre);
  ref::write(a.y, y);
}

void RefOps::run(const LinearBackwardData& a) {
  const Dense dy = ref::read(a.dy);
  const Dense w = ref::read(a.w);
  const bool activated = a.activation != Activation::none;
  const Dense pre = activated ? ref::read(a.pre) : Dense();
  Dense dx(dy.rows, w.cols);
  for (std::int64_t n = 0; n < dy.rows; ++n) {
    for (std::int64_t m = 0; m < dy.cols; ++m) {
      for (std::int64_t k = 0; k < w.cols; ++k) dx(n, k) += dy(n, m) * w(m, k);
    }
    for (std::int64_t k = 0; activated && k < w.cols; ++k) {
      dx(n, k) *= ref::activation_slope(a.activation, pre(n, k));
    }
  }
  if (a.accumulate) {
    ref::add(a.dx, dx);
  } else {
    ref::write(a.dx, dx);
  }
}

void RefOps::run(const LinearBackwardWeight& a) {
  const Dense dy = ref::read(a.dy);
  if (a.dw) {
    const Dense x = ref::read(a.x);
    Dense dw(dy.cols, x.cols);
    for (std::int64_t n = 0; n < dy.rows; ++n) {
      for (std::int64_t m = 0; m < dy.cols; ++m) {
        for (std::int64_t k = 0; k < x.cols; ++k) dw(m, k) += dy(n, m) * x(n, k);
      }
    }
    ref::add(a.dw, dw);
  }
  if (a.db) {
    Dense db(a.db.rows(), a.db.cols());
    for (std::int64_t n = 0; n < dy.rows; ++n) {
      for (std::int64_t m = 0; m < dy.cols; ++m) db[m] += dy(n, m);
    }
    ref::add(a.db, db);
  }
}

}  // namespace wan
