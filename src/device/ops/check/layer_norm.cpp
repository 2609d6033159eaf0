#include "device/ops/check/check.hpp"

namespace wan {
namespace {

/// scale and/or shift of the modulation, one row per value of row_index.
void modulation(const Expect& expect, const Tensor& rows, const char* name, std::int64_t channels,
                const Tensor& row_index, std::int64_t tokens) {
  expect.given(name, rows);
  expect.matrix(name, rows, rows.rows(), channels);
  expect.fp32(name, rows);
  expect.flat("row_index", row_index, tokens);
  expect.dtype("row_index", row_index, DType::i32);
}

}  // namespace

void check(const LayerNormForward& a, FloatStorage storage) {
  const Expect expect("layer_norm_forward", storage);
  expect.given("x", a.x);
  const std::int64_t tokens = a.x.rows();
  const std::int64_t channels = a.x.cols();
  expect.storage("x", a.x);
  expect.matrix("y", a.y, tokens, channels);
  expect.fp32_or_same("y", a.y, "x", a.x);
  expect.rule(static_cast<bool>(a.scale) != static_cast<bool>(a.weight), "scale, weight",
              a.scale ? "both" : "neither", "one of them");
  if (a.scale) {
    modulation(expect, a.scale, "scale", channels, a.row_index, tokens);
    modulation(expect, a.shift, "shift", channels, a.row_index, tokens);
    expect.equal("rows of shift", a.shift.rows(), a.scale.rows());
  } else {
    expect.flat("weight", a.weight, channels);
    expect.fp32_or_same("weight", a.weight, "x", a.x);
    expect.flat("bias", a.bias, channels);
    expect.same("bias", a.bias, "weight", a.weight);
  }
  expect.rule(static_cast<bool>(a.mean) == static_cast<bool>(a.rstd), "mean, rstd", "one", "both or neither");
  if (a.mean) {
    expect.flat("mean", a.mean, tokens);
    expect.fp32("mean", a.mean);
    expect.flat("rstd", a.rstd, tokens);
    expect.fp32("rstd", a.rstd);
  }
}

void check(const LayerNormBackward& a, FloatStorage storage) {
  const Expect expect("layer_norm_backward", storage);
  expect.given("x", a.x);
  const std::int64_t tokens = a.x.rows();
  const std::int64_t channels = a.x.cols();
  expect.storage("x", a.x);
  expect.matrix("dy", a.dy, tokens, channels);
  expect.fp32_or_same("dy", a.dy, "x", a.x);
  expect.flat("mean", a.mean, tokens);
  expect.fp32("mean", a.mean);
  expect.flat("rstd", a.rstd, tokens);
  expect.fp32("rstd", a.rstd);
  expect.matrix("dx", a.dx, tokens, channels);
  expect.fp32_or_same("dx", a.dx, "x", a.x);
  expect.rule(static_cast<bool>(a.scale) != static_cast<bool>(a.weight), "scale, weight",
              a.scale ? "both" : "neither", "one of them");
  if (a.scale) {
    modulation(expect, a.scale, "scale", channels, a.row_index, tokens);
    for (const auto& [name, tensor] : {std::pair{"dscale", &a.dscale}, std::pair{"dshift", &a.dshift}}) {
      if (!*tensor) continue;
      expect.matrix(name, *tensor, a.scale.rows(), channels);
      expect.fp32(name, *tensor);
    }
  } else {
    expect.flat("weight", a.weight, channels);
    expect.fp32_or_same("weight", a.weight, "x", a.x);
    for (const auto& [name, tensor] : {std::pair{"dweight", &a.dweight}, std::pair{"dbias", &a.dbias}}) {
      if (!*tensor) continue;
      expect.flat(name, *tensor, channels);
      expect.fp32(name, *tensor);
    }
  }
}

void check(const GatedResidualForward& a, FloatStorage storage) {
  const Expect expect("gated_residual_forward", storage);
  expect.given("x", a.x);
  expect.storage("x", a.x);
  expect.matrix("y", a.y, a.x.rows(), a.x.cols());
  expect.storage("y", a.y);
  expect.matrix("out", a.out, a.x.rows(), a.x.cols());
  expect.storage("out", a.out);
  if (a.gate) modulation(expect, a.gate, "gate", a.x.cols(), a.row_index, a.x.rows());
}

void check(const GatedResidualBackward& a, FloatStorage storage) {
  const Expect expect("gated_residual_backward", storage);
  expect.given("g", a.g);
  const std::int64_t tokens = a.g.rows();
  const std::int64_t channels = a.g.cols();
  expect.storage("g", a.g);
  modulation(expect, a.gate, "gate", channels, a.row_index, tokens);
  if (a.dy) {
    expect.matrix("dy", a.dy, tokens, channels);
    expect.storage("dy", a.dy);
  }
  if (a.dgate) {
    expect.matrix("y", a.y, tokens, channels);
    expect.storage("y", a.y);
    expect.matrix("dgate", a.dgate, a.gate.rows(), channels);
    expect.fp32("dgate", a.dgate);
  }
}

}  // namespace wan
