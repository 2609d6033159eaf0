#include "device/ops/check/check.hpp"

namespace wan {
namespace {

/// Both name the same matrix.
void joined(const Expect& expect, const char* name, const Tensor& one, const Tensor& other) {
  expect.rule(one.data == other.data && one.row_stride == other.row_stride && one.dtype == other.dtype, name,
              "two", "one");
  expect.matrix(name, one, other.rows(), other.cols());
}

void one_index(const Expect& expect, bool both, const Tensor& first, const Tensor& second) {
  expect.rule(!both || first.data == second.data, "row_index", "two", "one");
}

}  // namespace

void check(const ResidualNormForward& a, FloatStorage storage) {
  check(a.residual, storage);
  check(a.norm, storage);
  const Expect expect("residual_norm_forward", storage);
  joined(expect, "residual.out, norm.x", a.residual.out, a.norm.x);
  one_index(expect, a.residual.gate && a.norm.scale, a.residual.row_index, a.norm.row_index);
}

void check(const ResidualNormBackward& a, FloatStorage storage) {
  check(a.norm, storage);
  check(a.residual, storage);
  const Expect expect("residual_norm_backward", storage);
  joined(expect, "norm.dx, residual.g", a.norm.dx, a.residual.g);
  one_index(expect, static_cast<bool>(a.norm.scale), a.residual.row_index, a.norm.row_index);
}

}  // namespace wan
