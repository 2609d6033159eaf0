#include "parity/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace wan::parity {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double tolerance_for(const Case& which, const std::string& name, Quantity quantity) {
  const double nominal = nominal_tolerance(quantity, which.precision);
  const Json* errors = which.description.find("reference_error");
  if (errors != nullptr) errors = errors->find(which.precision == Precision::fp32 ? "fp32" : "bf16");
  if (errors != nullptr) errors = errors->find(name);
  return errors == nullptr ? nominal : std::max(nominal, 4 * errors->as_number());
}

struct Distance {
  double max_abs = 0;
  double relative = 0;
};

template <class T>
Distance distance(const T* got, const T* want, std::int64_t count) {
  double largest = 0;
  double error = 0;
  double size = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i]));
    // Written so that NaN, which compares false, is kept.
    if (!(difference <= largest)) largest = difference;
    error += difference * difference;
    size += static_cast<double>(want[i]) * static_cast<double>(want[i]);
  }
  if (size == 0) return {largest, error == 0 ? 0 : infinity};
  return {largest, std::sqrt(error / size)};
}

}  // namespace

double nominal_tolerance(Quantity quantity, Precision precision) {
  switch (quantity) {
    case Quantity::forward:
      return precision == Precision::fp32 ? 1e-5 : 1e-2;
    case Quantity::gradient:
      return precision == Precision::fp32 ? 1e-4 : 3e-2;
    case Quantity::schedule:
      return 1e-5;
  }
  return 0;
}

void Report::compare(const Case& which, const std::string& name, Quantity quantity, const float* got,
                     const float* want, std::int64_t count) {
  const Distance found = distance(got, want, count);
  line(name, found.max_abs, found.relative, tolerance_for(which, name, quantity));
}

void Report::compare(const Case& which, const std::string& name, Quantity quantity, const double* got,
                     const double* want, std::int64_t count) {
  const Distance found = distance(got, want, count);
  line(name, found.max_abs, found.relative, tolerance_for(which, name, quantity));
}

void Report::exact(const std::string& name, bool equal) {
  line(name, equal ? 0 : infinity, equal ? 0 : infinity, 0);
}

void Report::line(const std::string& name, double max_abs, double relative, double tolerance) {
  const bool ok = relative <= tolerance;
  ++(ok ? passed_ : failed_);
  if (prints_)
    std::printf("%s %.3e %.3e %.3e %s\n", name.c_str(), max_abs, relative, tolerance, ok ? "ok" : "FAIL");
}

}  // namespace wan::parity
