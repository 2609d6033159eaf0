#pragma once
#include <cstdint>

#include "device/ops/frames.hpp"

// A convolution as a matrix product: the inputs under the kernel at each output pixel become a row.
namespace wan::kernels {

/// What a convolution computes before its frames are interleaved.
struct PatchGrid {
  FrameConvGeometry geometry;
  std::int64_t front = 0;
  std::int64_t height = 0;  ///< of the output
  std::int64_t width = 0;
};

/// patches[i, tap * I' + c], taps in order (time, row, column), for output pixels first + i; I' >= I are the
/// patches' columns for each tap, of which those past I become 0. Pixels outside x [T, H, W, I] are 0.
/// patches has x's dtype.
void gather_patches(const PatchGrid& grid, const Tensor& x, std::int64_t first, const Tensor& patches);

/// y at output pixels first + i = [y +] product[i] + bias, interleaved if the geometry says so. product is
/// [count, O], maybe with more columns, bias [O] fp32.
void place_pixels(const PatchGrid& grid, const Tensor& product, const float* bias, bool accumulate,
                  std::int64_t first, const Tensor& y);

}  // namespace wan::kernels
