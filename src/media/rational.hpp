#pragma once
#include <cstdint>

namespace wan {

/// num / den with den > 0: a frame rate in frames per second, or a clock tick in seconds.
struct Rational {
  std::int64_t num = 0;
  std::int64_t den = 1;
  [[nodiscard]] double value() const { return static_cast<double>(num) / static_cast<double>(den); }
  friend bool operator==(const Rational& a, const Rational& b) { return a.num * b.den == b.num * a.den; }
};

}  // namespace wan
