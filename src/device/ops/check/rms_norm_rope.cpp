#include "device/ops/check/check.hpp"

namespace wan {
namespace {

void rope_table(const Expect& expect, const RopeTable& rope, std::int64_t head_dim, const Tensor& x) {
  if (!rope) return;
  expect.at_least("head_dim", head_dim, 2);
  expect.equal("head_dim % 2", head_dim % 2, 0);
  expect.equal("channels % head_dim", x.cols() % head_dim, 0);
  expect.matrix("cosine", rope.cosine, rope.cosine.rows(), head_dim / 2);
  expect.flat("sine", rope.sine, rope.cosine.elements());
  expect.flat("position", rope.position, 3 * x.rows());
  expect.fp32("cosine", rope.cosine);
  expect.same("sine", rope.sine, "cosine", rope.cosine);
  expect.dtype("position", rope.position, DType::i32);
}

/// One number per token, fp32, given or (if `optional`) not.
void per_token(const Expect& expect, const char* name, const Tensor& tensor, std::int64_t tokens,
               bool optional) {
  if (optional && !tensor) return;
  expect.flat(name, tensor, tokens);
  expect.fp32(name, tensor);
}

void weight(const Expect& expect, const Tensor& tensor, const Tensor& x) {
  expect.flat("weight", tensor, x.cols());
  expect.fp32_or_same("weight", tensor, "x", x);
}

/// Without reduced sums the op's own columns must be all of them.
void width(const Expect& expect, std::int64_t global, const Tensor& x, const Tensor& reduced) {
  expect.at_least("width", global, x.cols());
  if (!reduced) expect.equal("width without reduced sums", global, x.cols());
}

void one_rotation(const Expect& expect, const RopeTable& first, std::int64_t first_head_dim,
                  const RopeTable& second, std::int64_t second_head_dim) {
  expect.rule(first.cosine.data == second.cosine.data && first.sine.data == second.sine.data &&
                  first.position.data == second.position.data,
              "table of the second", "another", "that of the first");
  if (first) expect.equal("head_dim of the second", second_head_dim, first_head_dim);
}

}  // namespace

void check(const RmsNormRopeForward& a, FloatStorage storage) {
  const Expect expect("rms_norm_rope_forward", storage);
  expect.given("x", a.x);
  expect.storage("x", a.x);
  weight(expect, a.weight, a.x);
  width(expect, a.width, a.x, a.sum_squares);
  rope_table(expect, a.rope, a.head_dim, a.x);
  per_token(expect, "sum_squares", a.sum_squares, a.x.rows(), true);
  expect.matrix("y", a.y, a.x.rows(), a.x.cols());
  expect.fp32_or_same("y", a.y, "x", a.x);
  per_token(expect, "rstd", a.rstd, a.x.rows(), true);
}

void check(const RmsNormRopePairForward& a, FloatStorage storage) {
  check(a.first, storage);
  check(a.second, storage);
  const Expect expect("rms_norm_rope_pair_forward", storage);
  expect.matrix("second x", a.second.x, a.first.x.rows(), a.first.x.cols());
  expect.same("second x", a.second.x, "first x", a.first.x);
  expect.same("second y", a.second.y, "first y", a.first.y);
  expect.same("second weight", a.second.weight, "first weight", a.first.weight);
  expect.equal("width of the second", a.second.width, a.first.width);
  expect.rule(a.second.eps == a.first.eps, "eps of the second", "another", "that of the first");
  one_rotation(expect, a.first.rope, a.first.head_dim, a.second.rope, a.second.head_dim);
  expect.rule(static_cast<bool>(a.first.sum_squares) == static_cast<bool>(a.second.sum_squares),
              "sum_squares", "one", "both or neither");
}

void check(const RmsNormRopePairBackward& a, FloatStorage storage) {
  check(a.first, storage);
  check(a.second, storage);
  const Expect expect("rms_norm_rope_pair_backward", storage);
  expect.matrix("second x", a.second.x, a.first.x.rows(), a.first.x.cols());
  expect.same("second x", a.second.x, "first x", a.first.x);
  expect.same("second dy", a.second.dy, "first dy", a.first.dy);
  expect.same("second dx", a.second.dx, "first dx", a.first.dx);
  expect.same("second weight", a.second.weight, "first weight", a.first.weight);
  expect.equal("width of the second", a.second.width, a.first.width);
  one_rotation(expect, a.first.rope, a.first.head_dim, a.second.rope, a.second.head_dim);
  expect.rule(static_cast<bool>(a.first.dot) == static_cast<bool>(a.second.dot), "dot", "one",
              "both or neither");
}

void check(const RmsNormSumSquares& a, FloatStorage storage) {
  const Expect expect("rms_norm_sum_squares", storage);
  expect.given("x", a.x);
  expect.storage("x", a.x);
  per_token(expect, "out", a.out, a.x.rows(), false);
}

void check(const RmsNormRopeBackward& a, FloatStorage storage) {
  const Expect expect("rms_norm_rope_backward", storage);
  expect.given("x", a.x);
  expect.storage("x", a.x);
  expect.matrix("dy", a.dy, a.x.rows(), a.x.cols());
  expect.fp32_or_same("dy", a.dy, "x", a.x);
  weight(expect, a.weight, a.x);
  width(expect, a.width, a.x, a.dot);
  rope_table(expect, a.rope, a.head_dim, a.x);
  per_token(expect, "rstd", a.rstd, a.x.rows(), false);
  per_token(expect, "dot", a.dot, a.x.rows(), true);
  expect.matrix("dx", a.dx, a.x.rows(), a.x.cols());
  expect.fp32_or_same("dx", a.dx, "x", a.x);
  if (a.dweight) {
    expect.flat("dweight", a.dweight, a.x.cols());
    expect.fp32("dweight", a.dweight);
  }
}

void check(const RmsNormRopeDot& a, FloatStorage storage) {
  const Expect expect("rms_norm_rope_dot", storage);
  expect.given("x", a.x);
  expect.storage("x", a.x);
  expect.matrix("dy", a.dy, a.x.rows(), a.x.cols());
  expect.fp32_or_same("dy", a.dy, "x", a.x);
  weight(expect, a.weight, a.x);
  rope_table(expect, a.rope, a.head_dim, a.x);
  per_token(expect, "out", a.out, a.x.rows(), false);
}

}  // namespace wan
