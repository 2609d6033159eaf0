#include "device/ops/check/check.hpp"

namespace wan {

void check(const LinearForward& a, FloatStorage storage) {
  const Expect expect("linear_forward", storage);
  expect.given("x", a.x);
  expect.given("w", a.w);
  expect.matrix("w", a.w, a.w.rows(), a.x.cols());
  expect.matrix("y", a.y, a.x.rows(), a.w.rows());
  expect.storage("x", a.x);
  expect.same("w", a.w, "x", a.x);
  expect.fp32_or_same("y", a.y, "x", a.x);
  if (a.bias) {
    expect.flat("bias", a.bias, a.w.rows());
    expect.fp32_or_same("bias", a.bias, "x", a.x);
  }
  if (a.pre) {
    expect.matrix("pre", a.pre, a.x.rows(), a.w.rows());
    expect.same("pre", a.pre, "y", a.y);
  }
}

void check(const LinearBackwardData& a, FloatStorage storage) {
  const Expect expect("linear_backward_data", storage);
  expect.given("dy", a.dy);
  expect.given("w", a.w);
  expect.matrix("w", a.w, a.dy.cols(), a.w.cols());
  expect.matrix("dx", a.dx, a.dy.rows(), a.w.cols());
  expect.storage("w", a.w);
  expect.fp32_or_same("dy", a.dy, "w", a.w);
  expect.fp32_or_same("dx", a.dx, "w", a.w);
  if (a.activation != Activation::none) {
    expect.matrix("pre", a.pre, a.dy.rows(), a.w.cols());
    expect.storage("pre", a.pre);
  }
}

void check(const LinearBackwardWeight& a, FloatStorage storage) {
  const Expect expect("linear_backward_weight", storage);
  expect.given("dy", a.dy);
  expect.storage("dy", a.dy);
  if (a.dw) {
    expect.given("x", a.x);
    expect.matrix("x", a.x, a.dy.rows(), a.x.cols());
    expect.storage("x", a.x);
    expect.matrix("dw", a.dw, a.dy.cols(), a.x.cols());
    expect.fp32("dw", a.dw);
  }
  if (a.db) {
    expect.flat("db", a.db, a.dy.cols());
    expect.fp32("db", a.db);
  }
}

}  // namespace wan
