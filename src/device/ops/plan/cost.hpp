#pragma once
#include <cstdint>
#include <initializer_list>

#include "device/ops/attention.hpp"

namespace wan::plan {

/// Bytes of all tensors given; absent ones count nothing.
[[nodiscard]] inline std::int64_t bytes(std::initializer_list<const Tensor*> tensors) {
  std::int64_t sum = 0;
  for (const Tensor* tensor : tensors) {
    if (*tensor) sum += tensor->bytes();
  }
  return sum;
}

/// (query, key) pairs over all segments.
[[nodiscard]] inline std::int64_t attention_pairs(const AttentionSegments& segments) {
  std::int64_t sum = 0;
  for (std::size_t s = 0; s + 1 < segments.query.size(); ++s) {
    sum += (segments.query[s + 1] - segments.query[s]) * (segments.key[s + 1] - segments.key[s]);
  }
  return sum;
}

}  // namespace wan::plan
