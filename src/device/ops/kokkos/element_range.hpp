#pragma once
#include <cstdint>

namespace wan::kernels {

/// Elements first … last - 1, and what their kernel is told of them.
struct ElementRange {
  std::int64_t first;
  std::int64_t last;
  float value;
};

}  // namespace wan::kernels
