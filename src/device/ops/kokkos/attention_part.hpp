#pragma once
#include <cstdint>

namespace wan::kernels {

/// One segment of an attention op, or several equal ones that lie one after the other.
struct AttentionPart {
  std::int64_t query_begin = 0, query_end = 0;
  std::int64_t key_begin = 0, key_end = 0;
  float last_key_bonus = 0;  ///< ln(last_key_count)
  std::int64_t segments = 1;

  [[nodiscard]] std::int64_t queries() const { return (query_end - query_begin) / segments; }
  [[nodiscard]] std::int64_t keys() const { return (key_end - key_begin) / segments; }
  /// The i-th of its segments.
  [[nodiscard]] AttentionPart segment(std::int64_t i) const {
    return {query_begin + i * queries(), query_begin + (i + 1) * queries(), key_begin + i * keys(),
            key_begin + (i + 1) * keys(), last_key_bonus};
  }
};

}  // namespace wan::kernels
