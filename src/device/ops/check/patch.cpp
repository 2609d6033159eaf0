#include "device/ops/check/check.hpp"

namespace wan {
namespace {

void patch_layout(const Expect& expect, const PatchLayout* layout, const Tensor& tokens,
                  const Tensor& latents) {
  expect.rule(layout != nullptr, "layout", "none", "one");
  expect.given("tokens", tokens);
  expect.equal("columns of tokens % 4", tokens.cols() % 4, 0);
  expect.matrix("tokens", tokens, tokens.rows(), tokens.cols());
  expect.storage("tokens", tokens);
  expect.storage("latents", latents);
  expect.equal("layout.offset size", static_cast<std::int64_t>(layout->offset.size()),
               static_cast<std::int64_t>(layout->grid.size()) + 1);
  expect.equal("layout.offset[0]", layout->offset.front(), 0);
  for (std::size_t s = 0; s < layout->grid.size(); ++s) {
    expect.equal("tokens of a sample", layout->offset[s + 1] - layout->offset[s], layout->grid[s].tokens());
  }
  expect.at_least("rows of tokens", tokens.rows(), layout->offset.back());
  expect.flat("latents", latents, layout->offset.back() * tokens.cols());
}

}  // namespace

void check(const Patchify& a, FloatStorage storage) {
  patch_layout(Expect("patchify", storage), a.layout, a.tokens, a.latents);
}

void check(const Unpatchify& a, FloatStorage storage) {
  patch_layout(Expect("unpatchify", storage), a.layout, a.tokens, a.latents);
}

}  // namespace wan
