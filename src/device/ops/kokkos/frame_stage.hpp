#pragma once
#include <cstdint>

#include "tensor/tensor.hpp"

// What is done to frames of bf16 before and after a convolution of cuDNN, 16 bytes a load.
namespace wan::kernels {

/// y [front + T, H', W', C'] of x [T, H, W, C], bf16: `front` frames of zeros and then x's, each pixel
/// `enlarged` times along height and width; rows, columns and channels that x does not have are 0. C' is a
/// multiple of 8, y has less than 2^31 elements.
void stage_frames(const Tensor& x, std::int64_t front, std::int64_t enlarged, const Tensor& y);

/// y = [y +] product + bias [C], all of y's shape [T, H, W, C], C a multiple of 8; product may be y. Less
/// than 2^31 elements.
void add_channel_bias(const void* product, const float* bias, bool accumulate, const Tensor& y);

}  // namespace wan::kernels
