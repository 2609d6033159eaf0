#include "base/text.hpp"
#include "device/ops/check/check.hpp"

namespace wan {

void check(const AdamW& a, FloatStorage storage) {
  const Expect expect("adamw", storage);
  expect.given("gradient", a.gradient);
  const std::int64_t elements = a.gradient.elements();
  for (const auto& [name, tensor] :
       {std::pair{"gradient", &a.gradient}, std::pair{"exp_avg", &a.exp_avg},
        std::pair{"exp_avg_sq", &a.exp_avg_sq}, std::pair{"master", &a.master}}) {
    expect.flat(name, *tensor, elements);
    expect.fp32(name, *tensor);
  }
  expect.flat("parameter", a.parameter, elements);
  expect.storage("parameter", a.parameter);
  expect.flat("gradient_scale", a.gradient_scale, 1);
  expect.fp32("gradient_scale", a.gradient_scale);
  expect.at_least("step", a.step, 1);
  std::int64_t end = 0;
  for (const auto& [first, last] : a.decayed) {
    if (first < end || last < first || last > elements) {
      expect.fail("decayed", cat("[", first, ", ", last, ")"),
                  cat("ascending ranges within ", elements, " elements"));
    }
    end = last;
  }
}

void check(const SumSquares& a, FloatStorage storage) {
  const Expect expect("sum_squares", storage);
  expect.given("x", a.x);
  expect.flat("x", a.x, a.x.elements());
  expect.fp32("x", a.x);
  expect.flat("out", a.out, 1);
  expect.dtype("out", a.out, DType::f64);
}

void check(const ClipFactor& a, FloatStorage storage) {
  const Expect expect("clip_factor", storage);
  expect.given("sum_squares", a.sum_squares);
  expect.at_least("sum_squares", a.sum_squares.elements(), 1);
  expect.flat("sum_squares", a.sum_squares, a.sum_squares.elements());
  expect.dtype("sum_squares", a.sum_squares, DType::f64);
  expect.flat("scale", a.scale, 1);
  expect.fp32("scale", a.scale);
  expect.flat("norm", a.norm, 1);
  expect.fp32("norm", a.norm);
}

}  // namespace wan
