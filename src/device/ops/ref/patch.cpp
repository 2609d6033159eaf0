#include "device/ops/ref/dense.hpp"
#include "device/ops/ref/ref_ops.hpp"

namespace wan {

using ref::Dense;

namespace {

/// Calls body(token row, token column, element of the flat latents) for every element of the pack.
template <class Body>
void for_each_element(const PatchLayout& layout, std::int64_t channels, PatchOrder order, const Body& body) {
  for (std::size_t s = 0; s < layout.grid.size(); ++s) {
    const Grid& grid = layout.grid[s];
    const std::int64_t height = 2 * grid.rows;
    const std::int64_t width = 2 * grid.columns;
    std::int64_t element = layout.offset[s] * 4 * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t f = 0; f < grid.frames; ++f) {
        for (std::int64_t y = 0; y < height; ++y) {
          for (std::int64_t x = 0; x < width; ++x, ++element) {
            const std::int64_t token = layout.offset[s] + (f * grid.rows + y / 2) * grid.columns + x / 2;
            const std::int64_t place = y % 2 * 2 + x % 2;
            body(token, order == PatchOrder::channel_first ? c * 4 + place : place * channels + c, element);
          }
        }
      }
    }
  }
}

}  // namespace

void RefOps::run(const Patchify& a) {
  const Dense latents = ref::read(a.latents);
  Dense tokens(a.tokens.rows(), a.tokens.cols());
  for_each_element(
      *a.layout, tokens.cols / 4, a.order,
      [&](std::int64_t row, std::int64_t col, std::int64_t at) { tokens(row, col) = latents[at]; });
  ref::write(a.tokens, tokens);
}

void RefOps::run(const Unpatchify& a) {
  const Dense tokens = ref::read(a.tokens);
  Dense latents(a.latents.rows(), a.latents.cols());
  for_each_element(
      *a.layout, tokens.cols / 4, a.order,
      [&](std::int64_t row, std::int64_t col, std::int64_t at) { latents[at] = tokens(row, col); });
  ref::write(a.latents, latents);
}

}  // namespace wan
