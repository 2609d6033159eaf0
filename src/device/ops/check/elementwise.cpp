#include "device/ops/check/check.hpp"

namespace wan {

void check(const Cast& a, FloatStorage storage) {
  const Expect expect("cast", storage);
  expect.given("x", a.x);
  expect.flat("x", a.x, a.x.elements());
  expect.flat("y", a.y, a.x.elements());
  expect.storage("x", a.x);
  expect.storage("y", a.y);
}

void check(const Axpby& a, FloatStorage storage) {
  const Expect expect("axpby", storage);
  expect.given("x", a.x);
  expect.flat("x", a.x, a.x.elements());
  expect.flat("y", a.y, a.x.elements());
  expect.storage("x", a.x);
  expect.storage("y", a.y);
}

void check(const ActivationForward& a, FloatStorage storage) {
  const Expect expect("activation_forward", storage);
  expect.given("x", a.x);
  expect.storage("x", a.x);
  expect.matrix("y", a.y, a.x.rows(), a.x.cols());
  expect.storage("y", a.y);
}

void check(const ActivationBackward& a, FloatStorage storage) {
  const Expect expect("activation_backward", storage);
  expect.given("x", a.x);
  expect.storage("x", a.x);
  expect.matrix("dy", a.dy, a.x.rows(), a.x.cols());
  expect.storage("dy", a.dy);
  expect.matrix("dx", a.dx, a.x.rows(), a.x.cols());
  expect.storage("dx", a.dx);
}

void check(const AddRowVector& a, FloatStorage storage) {
  const Expect expect("add_row_vector", storage);
  expect.given("rows", a.rows);
  expect.fp32("rows", a.rows);
  expect.flat("vector", a.vector, a.rows.cols());
  expect.storage("vector", a.vector);
  expect.matrix("out", a.out, a.rows.rows(), a.rows.cols());
  expect.fp32("out", a.out);
}

void check(const SumRows& a, FloatStorage storage) {
  const Expect expect("sum_rows", storage);
  expect.given("x", a.x);
  expect.storage("x", a.x);
  expect.flat("out", a.out, a.x.cols());
  expect.fp32("out", a.out);
}

void check(const TimestepEmbedding& a, FloatStorage storage) {
  const Expect expect("timestep_embedding", storage);
  expect.given("timestep", a.timestep);
  expect.fp32("timestep", a.timestep);
  expect.given("out", a.out);
  expect.matrix("out", a.out, a.timestep.elements(), a.out.cols());
  expect.fp32("out", a.out);
  expect.equal("columns of out % 2", a.out.cols() % 2, 0);
}

}  // namespace wan
