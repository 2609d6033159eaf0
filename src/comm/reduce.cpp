#include "comm/reduce.hpp"

#include <algorithm>
#include <array>

#include "base/bf16.hpp"
#include "base/error.hpp"

namespace wan {
namespace {

template <class T, class Wide>
Wide widen(T value) {
  if constexpr (std::is_same_v<T, bf16>) {
    return to_float(value);
  } else {
    return static_cast<Wide>(value);
  }
}

template <class T, class Wide>
T narrow(Wide value) {
  if constexpr (std::is_same_v<T, bf16>) {
    return to_bf16(value);
  } else {
    return static_cast<T>(value);
  }
}

template <class Wide>
Wide combine(Wide a, Wide b, Reduce op) {
  if (op == Reduce::sum) return a + b;
  const bool first = op == Reduce::max ? a >= b : a <= b;
  if (first || a != a) return a;
  return b;
}

/// Blocks small enough to stay in the first-level cache while all parts are added.
constexpr std::int64_t block = 1024;

template <class T, class Wide>
void reduce_as(const std::vector<const std::byte*>& parts, std::int64_t count, Reduce op, std::byte* out) {
  std::array<Wide, block> sum;
  T* const result = reinterpret_cast<T*>(out);
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const auto width = static_cast<std::size_t>(std::min(block, count - begin));
    bool first = true;
    for (const std::byte* part : parts) {
      const T* const from = reinterpret_cast<const T*>(part) + begin;
      if (first) {
        for (std::size_t i = 0; i < width; ++i) sum[i] = widen<T, Wide>(from[i]);
      } else if (op == Reduce::sum) {
        for (std::size_t i = 0; i < width; ++i) sum[i] += widen<T, Wide>(from[i]);
      } else {
        for (std::size_t i = 0; i < width; ++i) sum[i] = combine(sum[i], widen<T, Wide>(from[i]), op);
      }
      first = false;
    }
    for (std::size_t i = 0; i < width; ++i)
      result[begin + static_cast<std::int64_t>(i)] = narrow<T, Wide>(sum[i]);
  }
}

}  // namespace

void reduce_parts(const std::vector<const std::byte*>& parts, std::int64_t count, DType dtype, Reduce op,
                  std::byte* out) {
  switch (dtype) {
    case DType::f32:
      return reduce_as<float, double>(parts, count, op, out);
    case DType::f64:
      return reduce_as<double, double>(parts, count, op, out);
    case DType::bf16:
      return reduce_as<bf16, float>(parts, count, op, out);
    case DType::i64:
      // Sums wrap around, as sums of hashes need it.
      if (op == Reduce::sum) return reduce_as<std::uint64_t, std::uint64_t>(parts, count, op, out);
      return reduce_as<std::int64_t, std::int64_t>(parts, count, op, out);
    default:
      throw InternalError("reduce: cannot reduce " + name_of(dtype));
  }
}

}  // namespace wan
