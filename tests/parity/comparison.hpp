#pragma once
#include <cstdint>
#include <string>

#include "parity/case.hpp"

namespace wan::parity {

/// What a tensor is, which decides its nominal tolerance.
enum class Quantity { forward, gradient, schedule };

/// Relative L2 error allowed where the reference itself is exact: README of the cases, its last paragraph.
[[nodiscard]] double nominal_tolerance(Quantity quantity, Precision precision);

/// Compares results with a case's truth: one line per tensor on standard output, "name max_abs rel_l2
/// tolerance ok".
class Report {
 public:
  /// Only a report that `prints` writes lines; all count.
  explicit Report(bool prints = true) : prints_(prints) {}

  /// Relative L2 error of `got` against `want`, allowed max(nominal, 4 x the reference's own error for
  /// `name`).
  void compare(const Case& which, const std::string& name, Quantity quantity, const float* got,
               const float* want, std::int64_t count);
  /// As compare, for the tables that the schedulers keep in double.
  void compare(const Case& which, const std::string& name, Quantity quantity, const double* got,
               const double* want, std::int64_t count);
  /// Something that is right or wrong: text, ids, a shape.
  void exact(const std::string& name, bool equal);

  [[nodiscard]] std::int64_t passed() const { return passed_; }
  [[nodiscard]] std::int64_t failed() const { return failed_; }

 private:
  void line(const std::string& name, double max_abs, double relative, double tolerance);

  bool prints_;
  std::int64_t passed_ = 0;
  std::int64_t failed_ = 0;
};

}  // namespace wan::parity
