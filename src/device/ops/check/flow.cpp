#include "device/ops/check/check.hpp"

namespace wan {
namespace {

/// n + 1 element offsets from 0 on that never decrease.
void sample_offsets(const Expect& expect, const std::vector<std::int64_t>& offset, std::size_t samples) {
  expect.equal("offset size", static_cast<std::int64_t>(offset.size()),
               static_cast<std::int64_t>(samples) + 1);
  expect.equal("offset[0]", offset.front(), 0);
  for (std::size_t s = 0; s < samples; ++s) expect.at_least("offset", offset[s + 1], offset[s]);
}

}  // namespace

void check(const FillNormal& a, FloatStorage storage) {
  const Expect expect("fill_normal", storage);
  sample_offsets(expect, a.offset, a.keys.size());
  expect.flat("out", a.out, a.offset.back());
  expect.fp32("out", a.out);
}

void check(const FlowMix& a, FloatStorage storage) {
  const Expect expect("flow_mix", storage);
  sample_offsets(expect, a.offset, a.sigma.size());
  expect.flat("clean", a.clean, a.offset.back());
  expect.storage("clean", a.clean);
  expect.flat("noise", a.noise, a.offset.back());
  expect.fp32("noise", a.noise);
  expect.flat("noisy", a.noisy, a.offset.back());
  expect.storage("noisy", a.noisy);
  expect.flat("target", a.target, a.offset.back());
  expect.fp32("target", a.target);
}

void check(const FlowLoss& a, FloatStorage storage) {
  const Expect expect("flow_loss", storage);
  sample_offsets(expect, a.offset, a.weight.size());
  expect.flat("prediction", a.prediction, a.offset.back());
  expect.storage("prediction", a.prediction);
  expect.flat("target", a.target, a.offset.back());
  expect.fp32("target", a.target);
  for (const auto& [name, tensor] : {std::pair{"loss", &a.loss}, std::pair{"raw", &a.raw}}) {
    expect.flat(name, *tensor, static_cast<std::int64_t>(a.weight.size()));
    expect.fp32(name, *tensor);
  }
  if (a.gradient) {
    expect.flat("gradient", a.gradient, a.offset.back());
    expect.same("gradient", a.gradient, "prediction", a.prediction);
  }
}

}  // namespace wan
