#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace wan {

/// Extents of a tensor, slowest first; at most 6. A shape of rank 0 has one element.
class Shape {
 public:
  static constexpr int max_rank = 6;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents);

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] std::int64_t operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }
  /// Counts from the end: back() is the fastest extent, back(1) the one before.
  [[nodiscard]] std::int64_t back(int from_end = 0) const { return (*this)[rank_ - 1 - from_end]; }
  /// Product of the extents; throws Error (data) if it overflows int64.
  [[nodiscard]] std::int64_t elements() const;
  /// Appends an extent on the fast side.
  void append(std::int64_t extent);
  void resize_axis(int axis, std::int64_t extent) { extents_[static_cast<std::size_t>(axis)] = extent; }

  /// "[2, 3, 4]"
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Shape& a, const Shape& b) {
    return a.rank_ == b.rank_ && a.extents_ == b.extents_;
  }
  friend bool operator!=(const Shape& a, const Shape& b) { return !(a == b); }

 private:
  std::array<std::int64_t, max_rank> extents_{};
  int rank_ = 0;
};

}  // namespace wan
