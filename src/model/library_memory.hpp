#pragma once
#include <cstdint>

namespace wan {

/// Allowances, in bytes, for what libraries take of a GPU for themselves where models run forward only: a
/// context and those of matrix products and attention; that of convolutions besides.
inline constexpr std::int64_t product_library_bytes = 700LL << 20U;
inline constexpr std::int64_t convolution_library_bytes = 1LL << 30U;

}  // namespace wan
