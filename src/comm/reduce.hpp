#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "comm/communicator.hpp"

namespace wan {

/// out[i] = parts[0][i] op parts[1][i] op …, in this order. Each pointer has `count` elements of `dtype`
/// (fp32, fp64, bf16, int64); `out` may be one of the parts. fp32 is summed in fp64, bf16 in fp32, rounded
/// once to nearest even. max and min of anything with NaN is NaN.
void reduce_parts(const std::vector<const std::byte*>& parts, std::int64_t count, DType dtype, Reduce op,
                  std::byte* out);

}  // namespace wan
